/**
 * The servers that a client uploads to, kept from one start to the next: introducers may add to them
 * and change a few, but not put others in the place of most at once (docs/specs/introducer.md,
 * "Uploads"). Who controls all introducers of a client could otherwise lead it, in a day of leaving
 * out the servers it knows, to servers of his own. Introducers that cannot be reached take none away.
 */
import { type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts'
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import { noTrace, type Trace } from '../base/trace.ts'

/** More than this part of the servers gone at once is not taken without being told. */
const mostGone = 0.5
/** Of fewer servers each is too large a part. */
const fewServers = 4
const limits = { depth: 3, items: 2_100, bytes: 256 * 1024 }

export interface UploadSetOptions {
  keptAt?: KeptAt
  trace?: Trace
}

export class UploadSet {
  readonly #options: UploadSetOptions
  /** As kept on disk. */
  #known: ReadonlySet<string>
  #usable: ReadonlySet<string>
  /** Those that went, while that is too many to go on without them. */
  #gone: readonly string[] = []
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: UploadSetOptions, known: ReadonlySet<string>) {
    this.#options = options
    this.#known = known
    this.#usable = known
  }

  /** Starts with the servers that were kept; a damaged file is as good as none. */
  static async open(options: UploadSetOptions = {}): Promise<UploadSet> {
    const { keptAt, trace = noTrace } = options
    try {
      const bytes = keptAt && (await readKept(keptAt, limits.bytes))
      return new UploadSet(options, bytes === undefined ? new Set() : parse(bytes))
    } catch (error) {
      trace.event('uploads.list-unreadable', { error: String(error) })
      return new UploadSet(options, new Set())
    }
  }

  /** How many are gone of how many; undefined unless the old ones are held on to. */
  get held(): { gone: number; known: number } | undefined {
    return this.#gone.length === 0
      ? undefined
      : { gone: this.#gone.length, known: this.#known.size }
  }

  /**
   * Hears which servers there are now, and of which nothing can be heard now; `has` answers by it. Of the
   * unheard, those that are known stay; where none is known yet, all may be uploaded to meanwhile.
   */
  hear(live: ReadonlySet<string>, unheard: ReadonlySet<string> = new Set()): void {
    if (this.#known.size === 0 && unheard.size > 0) {
      this.#usable = new Set([...live, ...unheard])
      return
    }
    const next = new Set([...live, ...[...this.#known].filter((id) => unheard.has(id))])
    const gone = [...this.#known].filter((id) => !next.has(id))
    const isTooMuch = this.#known.size >= fewServers && gone.length > mostGone * this.#known.size
    this.#gone = isTooMuch ? gone : []
    if (!isTooMuch) this.#replace(next)
    this.#usable = this.#known
  }

  /** Whether a server may be uploaded to: one that there is, or while most are gone, one that there was. */
  has(id: string): boolean {
    return this.#usable.has(id)
  }

  /** Goes on with the servers there are now, as its user wants: the next `hear` takes what it hears. */
  accept(): void {
    this.#replace(new Set())
    this.#usable = this.#known
    this.#gone = []
  }

  /** Resolves when what is known is on disk, or could not be written. */
  async close(): Promise<void> {
    await this.#saving
  }

  #replace(known: ReadonlySet<string>): void {
    const isSame = known.size === this.#known.size && [...known].every((id) => this.#known.has(id))
    if (isSame) return
    this.#known = new Set(known)
    const { keptAt, trace = noTrace } = this.#options
    if (keptAt === undefined) return
    const bytes = encodeCbor([1, [...known]])
    this.#saving = this.#saving
      .then(() => replaceKept(keptAt, bytes))
      .catch((error: unknown) => {
        trace.event('uploads.list-unwritable', { error: String(error) })
      })
  }
}

function parse(bytes: Uint8Array): ReadonlySet<string> {
  const list = decodeCbor(bytes, limits)
  const ids = Array.isArray(list) && list[0] === 1 ? (list[1] as CborValue) : []
  return new Set(Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [])
}
