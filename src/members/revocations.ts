/** The newest revocation list that this node has met, kept on disk: it only ever moves on. */
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import { isGridError } from '../base/errors.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { maxRevocationBytes, readRevocationList } from './revocation-list.ts'

export interface RevocationsOptions {
  gridId: Uint8Array
  keptAt?: KeptAt
  trace?: Trace
  /** Called when a newer list counts. */
  onNewer?: () => void
}

export class Revocations {
  readonly #options: RevocationsOptions
  #seq = 0
  #bytes: Uint8Array | undefined
  #revoked: ReadonlySet<number> = new Set()
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: RevocationsOptions) {
    this.#options = options
  }

  /** Starts with the list that was kept; a damaged one is as good as none. */
  static async open(options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(options)
    const { keptAt, trace = noTrace } = options
    if (keptAt === undefined) return revocations
    try {
      const bytes = await readKept(keptAt, maxRevocationBytes)
      if (bytes !== undefined) revocations.#adopt(bytes)
    } catch (error) {
      trace.event('members.list-unreadable', { error: String(error) })
    }
    return revocations
  }

  /** 0 before the first list. */
  get seq(): number {
    return this.#seq
  }

  /** As signed. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes
  }

  get serials(): number[] {
    return [...this.#revoked]
  }

  isRevoked(serial: number): boolean {
    return this.#revoked.has(serial)
  }

  /** Takes a list that counts for more than ours, and keeps it; whether it did. Throws E_CERTIFICATE. */
  async take(bytes: Uint8Array): Promise<boolean> {
    const { keptAt, trace = noTrace } = this.#options
    if (!this.#adopt(bytes)) return false
    this.#options.onNewer?.()
    this.#saving = this.#saving.then(async () => {
      // what counts is in memory: a disk that fails costs the memory of it only
      if (keptAt === undefined || this.#bytes === undefined) return
      await replaceKept(keptAt, this.#bytes).catch((error: unknown) => {
        trace.event('members.list-unwritable', { error: String(error) })
      })
    })
    await this.#saving
    return true
  }

  /** As `take`, for what a stranger says: what is no such list is passed over. */
  async hear(bytes: Uint8Array): Promise<boolean> {
    try {
      return await this.take(bytes)
    } catch (error) {
      if (!isGridError(error, 'E_CERTIFICATE')) throw error
      return false
    }
  }

  #adopt(bytes: Uint8Array): boolean {
    const { seq, serials } = readRevocationList(bytes, this.#options.gridId)
    if (seq <= this.#seq) return false
    this.#seq = seq
    this.#bytes = bytes
    this.#revoked = new Set(serials)
    return true
  }
}
