/**
 * Stores a sequence of files: small ones end to end in bundles, large ones each by itself, with
 * results in the order of the inputs (docs/specs/encoding.md, "Bundles").
 */
import { setMaxListeners } from 'node:events'
import { Bell } from '../base/bell.ts'
import { concat } from '../base/bytes.ts'
import { type GridError, isGridError } from '../base/errors.ts'
import { Budget } from '../base/limit.ts'
import type { EncodedShares, Encoder, EncodeSettings } from '../encoding/encoder.ts'
import { maxBundledBytes } from '../encoding/file-stream.ts'
import type { PackInput } from '../encoding/pack.ts'
import type { ExtentUnderWay, FileInput } from './file-upload.ts'
import { type FindKnown, RecentTags } from './known-stream.ts'
import { storeLargeFile } from './large-file.ts'
import type { FlyingObject } from './object-writer.ts'
import { SmallFiles } from './small-files.ts'
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
  begin: (content: Uint8Array, plaintextBytes: number) => Promise<FlyingObject>
  place: (shares: EncodedShares, plaintextBytes: number) => Promise<void>
}

/** Large files that are stored at once. */
const maxFiles = 4
/** Results that wait for those before them; a bundle that keeps more of them waiting is ended. */
const maxWaiting = 32_768
/** Extents that equal ones are looked for among. */
const maxRecent = 32_768

/** A result that may be long in coming. */
interface Slot<T> {
  item: T
  result: NamedFile | undefined
  failure: { error: unknown } | undefined
}

/** An input from when it is taken until it has been read. */
interface Taken<T> extends Pick<ManyInput<T>, 'storedExtents'> {
  slot: Slot<T>
  close: () => void
}

export async function* storeMany<T>(
  store: ManyStore,
  files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
  options: ManyOptions<T>,
): AsyncGenerator<ManyResult<T>> {
  const many = new ManyFiles(store, options)
  try {
    for await (const file of files) {
      await many.add(file)
      yield* many.ready()
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
  /** Those before `#first` have been handed out. */
  #slots: Slot<T>[] = []
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
  async add({ item, input, close, storedExtents }: ManyInput<T>): Promise<void> {
    const slot: Slot<T> = { item, result: undefined, failure: undefined }
    const file: Taken<T> = { slot, close: once(close), storedExtents }
    try {
      this.#signal.throwIfAborted()
      this.#slots.push(slot)
      if ('fd' in input && input.sizeBytes <= maxBundledBytes) {
        await this.#addSmall(file, { fd: input.fd }, input)
        return
      }
      const read = 'fd' in input ? input : await beginningOf(input.stream)
      if (read instanceof Uint8Array) {
        await this.#addSmall(file, { bytes: read }, { ...input, sizeBytes: read.length })
        return
      }
      const leave = await this.#files.take(1, { signal: this.#signal })
      this.#run(file, read, leave)
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** Starts on storing all small files so far. */
  endBundle(): Promise<void> {
    return this.#small.endBundle()
  }

  /** The results that are known, up to the first that is not. */
  *ready(): Generator<ManyResult<T>> {
    for (;;) {
      const slot = this.#slots[this.#first] as Slot<T> | undefined
      if (slot === undefined || (slot.result === undefined && slot.failure === undefined)) return
      this.#first++
      if (this.#first >= 1024) this.#slots = this.#slots.slice(this.#first)
      if (this.#first >= 1024) this.#first = 0
      const { item, result, failure } = slot
      if (result !== undefined) yield { ...result, item }
      else this.#leaveOut(item, failure?.error)
    }
  }

  /** Results, until no more than so many wait. */
  async *until(waiting: number): AsyncGenerator<ManyResult<T>> {
    for (;;) {
      yield* this.ready()
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

  async #addSmall(
    file: Taken<T>,
    packed: PackInput,
    input: FileInput & { sizeBytes: number },
  ): Promise<void> {
    const { slot, close } = file
    await this.#small.add({
      input: packed,
      sizeBytes: input.sizeBytes,
      close,
      done: (result) => this.#settle(slot, { result }),
      fail: (error) => this.#settle(slot, { failure: { error } }),
      isLarge: () => this.#run(file, input, () => undefined),
    })
  }

  #run(file: Taken<T>, input: FileInput, leave: () => void): void {
    const { slot, close } = file
    const running = this.#storeLarge(file, input)
      .finally(() => {
        this.#running.delete(running)
        leave()
        close()
      })
      .then(
        (result) => this.#settle(slot, { result }),
        (error: unknown) => this.#settle(slot, { failure: { error } }),
      )
    this.#running.add(running)
  }

  #storeLarge({ slot, storedExtents }: Taken<T>, input: FileInput): Promise<NamedFile> {
    const { encoderFor, place } = this.#store
    const { known, onExtent } = this.#options
    const { item } = slot
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
    return storeLargeFile(context, input, { signal: this.#signal })
  }

  #settle(slot: Slot<T>, outcome: Partial<Pick<Slot<T>, 'result' | 'failure'>>): void {
    Object.assign(slot, outcome)
    this.#settled.ring()
  }

  #leaveOut(item: T, error: unknown): void {
    const { onUnreadable } = this.#options
    if (onUnreadable === undefined || !isGridError(error, 'E_FILE')) throw error
    onUnreadable(item, error)
  }
}

function once(action: (() => void) | undefined): () => void {
  let isDone = false
  return () => {
    if (!isDone) action?.()
    isDone = true
  }
}

/** All of a small file, or a stream that gives what a larger one holds. */
async function beginningOf(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array | FileInput> {
  const pieces: Uint8Array[] = []
  let length = 0
  const source = iteratorOf(stream)
  while (length <= maxBundledBytes) {
    const next = await source.next()
    if (next.done) return concat(...pieces)
    pieces.push(next.value)
    length += next.value.length
  }
  return { stream: resumed(pieces, source) }
}

/** What has been read of a stream, and the rest of it. */
async function* resumed(
  pieces: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* pieces
  yield* { [Symbol.asyncIterator]: () => source }
}

async function* iteratorOf(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* stream
}
