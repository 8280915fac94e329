/**
 * Stores a sequence of files: small ones end to end in bundles, large ones each by itself, with
 * results in the order of the inputs (docs/specs/encoding.md, "Bundles").
 */
import { setMaxListeners } from 'node:events'
import { Bell } from '../base/bell.ts'
import { type GridError, isGridError } from '../base/errors.ts'
import { Budget } from '../base/limit.ts'
import type { EncodedShares, Encoder, EncodeSettings } from '../encoding/encoder.ts'
import { maxBundledBytes } from '../encoding/file-stream.ts'
import { FileSlot } from './file-slot.ts'
import type { ExtentUnderWay, FileInput } from './file-upload.ts'
import { type FindKnown, RecentTags } from './known-stream.ts'
import { storeLargeFile } from './large-file.ts'
import { SmallFiles, type SmallFilesContext } from './small-files.ts'
import { beginningOf } from './stream-beginning.ts'
import type { NamedFile, TaggedStream } from './stored-file.ts'

export interface ManyInput<T> {
  /** What comes back with the result. */
  item: T
  input: FileInput & { sizeBytes?: number }
  /** Called once, as soon as `input` is not needed any more; also where the sequence is given up. */
  close?: () => void
  /** How a large file begins: extents that an interrupted run stored. They are not read again. */
  storedExtents?: readonly TaggedStream[]
}

/** Its objects have names; `stored` says when they are stored. It may be left alone: what fails then ends the writer. */
export type ManyResult<T> = NamedFile & { item: T }

export interface ManyOptions<T = unknown> {
  /** Compresses where that pays; off unless told. */
  compress?: boolean
  /** Streams that are stored: asked once for each small file, and for each extent of a large one. */
  known?: FindKnown
  /** Called when extent number `index` of a large file is stored; in any order, and again from 0 where the file changed. */
  onExtent?: (item: T, index: number, extent: TaggedStream) => void
  /** Called for a file that cannot be read, which is left out then; without it, the sequence ends with the error. */
  onUnreadable?: (item: T, error: GridError) => void
}

export interface ManyStore {
  settings: EncodeSettings
  signal: AbortSignal
  encoderFor: (bytes: number) => Encoder
  begin: SmallFilesContext['begin']
  place: (shares: EncodedShares, plaintextBytes: number) => Promise<void>
}

/** Large files that are stored at once. */
const maxFiles = 4
/** Results that wait for those before them; a bundle that keeps more of them waiting is ended. */
const maxWaiting = 32_768
/** Results that have been handed out are forgotten so many at once. */
const tidyAfter = 1024
/** Extents that equal ones are looked for among. */
const maxRecent = 32_768

export async function* storeMany<T>(
  store: ManyStore,
  files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
  options: ManyOptions<T>,
): AsyncGenerator<ManyResult<T>> {
  const many = new ManyFiles(store, options)
  try {
    for await (const file of files) {
      await many.add(file)
      for (let next = many.take(); next !== undefined; next = many.take()) yield next
      if (many.waiting < maxWaiting) continue
      await many.endBundle()
      yield* many.until(maxWaiting - 1)
    }
    await many.endBundle()
    yield* many.until(0)
  } finally {
    await many.end()
  }
}

class ManyFiles<T> {
  readonly #store: ManyStore
  readonly #options: ManyOptions<T>
  readonly #small: SmallFiles
  readonly #files = new Budget(maxFiles)
  readonly #recent = new RecentTags<ExtentUnderWay>(maxRecent)
  readonly #settings: EncodeSettings
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running = new Set<Promise<void>>()
  readonly #settled = new Bell()
  readonly #events = {
    settled: () => this.#settled.ring(),
    isLarge: (slot: FileSlot<T>) => this.#run(slot),
  }
  /** Those before `#first` have been handed out. */
  readonly #slots: FileSlot<T>[] = []
  #first = 0

  constructor(store: ManyStore, options: ManyOptions<T>) {
    this.#store = store
    this.#options = options
    this.#signal = AbortSignal.any([store.signal, this.#stop.signal])
    // every job that waits for its turn listens to it
    setMaxListeners(0, this.#signal)
    this.#settings = { ...store.settings, compress: options.compress ?? false, tagged: true }
    const { encoderFor, begin } = store
    const [settings, signal, known] = [this.#settings, this.#signal, options.known]
    this.#small = new SmallFiles({ settings, signal, encoderFor, begin, known })
  }

  get waiting(): number {
    return this.#slots.length - this.#first
  }

  /** Takes a file as soon as there is room for it; what comes of it is known later. */
  async add({ input, ...file }: ManyInput<T>): Promise<void> {
    const slot = new FileSlot(file, input, this.#events)
    try {
      this.#signal.throwIfAborted()
      this.#slots.push(slot)
      if (await this.#isSmall(slot)) await this.#small.add(slot)
      else this.#run(slot, await this.#files.take(1, { signal: this.#signal }))
    } catch (error) {
      slot.close()
      throw error
    }
  }

  /** Whether a file is small, as it is now; a stream has to be read for it. */
  async #isSmall(slot: FileSlot<T>): Promise<boolean> {
    const { source } = slot
    if ('fd' in source) {
      slot.input = { fd: source.fd }
      slot.sizeBytes = source.sizeBytes
      return source.sizeBytes <= maxBundledBytes
    }
    const read = await beginningOf(source.stream, maxBundledBytes)
    if (!(read instanceof Uint8Array)) {
      slot.source = read
      return false
    }
    slot.input = { bytes: read }
    slot.sizeBytes = read.length
    return true
  }

  /** Starts on storing all small files so far. */
  endBundle(): Promise<void> {
    return this.#small.endBundle()
  }

  /** The next result, if it is known. */
  take(): ManyResult<T> | undefined {
    for (;;) {
      const slot = this.#slots[this.#first] as FileSlot<T> | undefined
      if (slot?.isSettled !== true) return undefined
      if (++this.#first === tidyAfter) {
        this.#slots.splice(0, tidyAfter)
        this.#first = 0
      }
      const { item, result, failure } = slot
      if (result !== undefined) return { ...result, item }
      this.#leaveOut(item, failure?.error)
    }
  }

  /** Results, until no more than so many wait. */
  async *until(waiting: number): AsyncGenerator<ManyResult<T>> {
    for (;;) {
      for (let next = this.take(); next !== undefined; next = this.take()) yield next
      if (this.waiting <= waiting) return
      await this.#settled.next({ signal: this.#signal })
    }
  }

  /** Gives up what is under way, and waits for it; nothing is, when all went well. */
  async end(): Promise<void> {
    this.#stop.abort(new Error('the sequence of files was given up'))
    await this.#small.idle()
    await Promise.allSettled(this.#running)
  }

  #run(slot: FileSlot<T>, leave?: () => void): void {
    const running = this.#storeLarge(slot)
      .finally(() => {
        this.#running.delete(running)
        leave?.()
        slot.close()
      })
      .then(
        (result) => slot.done(result),
        (error: unknown) => slot.fail(error),
      )
    this.#running.add(running)
  }

  #storeLarge({ item, source, storedExtents }: FileSlot<T>): Promise<NamedFile> {
    const { encoderFor, place } = this.#store
    const { known, onExtent } = this.#options
    const context = {
      encoder: encoderFor(Infinity),
      settings: this.#settings,
      place,
      known,
      recent: this.#recent,
      onExtent:
        onExtent && ((index: number, extent: TaggedStream) => onExtent(item, index, extent)),
      storedExtents,
    }
    return storeLargeFile(context, source, { signal: this.#signal })
  }

  #leaveOut(item: T, error: unknown): void {
    const { onUnreadable } = this.#options
    if (onUnreadable === undefined || !isGridError(error, 'E_FILE')) throw error
    onUnreadable(item, error)
  }
}
