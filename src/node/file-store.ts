/**
 * Stores files one after the other: small ones end to end in bundles, large ones each by itself
 * (docs/specs/encoding.md, "Bundles"). What becomes of each is told as soon as it is known.
 */
import { setMaxListeners } from 'node:events'
import { concat } from '../base/bytes.ts'
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

export interface FileToStore<T> {
  /** What the caller knows it by. */
  item: T
  input: FileInput & { sizeBytes?: number }
  /** Called once, as soon as `input` is not needed any more; also where everything is given up. */
  close?: () => void
  /** How a large file begins: extents that an interrupted run stored. They are not read again. */
  storedExtents?: readonly TaggedStream[]
}

export interface FileStoreOptions<T = unknown> {
  /** Compresses where that pays; off unless told. */
  compress?: boolean
  /** Streams that are stored: asked once for each small file, and for each extent of a large one. */
  known?: FindKnown
  /** Called when extent number `index` of a large file is stored; in any order, and again from 0 where the file changed. */
  onExtent?: (item: T, index: number, extent: TaggedStream) => void
}

/** What files are stored with. */
export interface FileStoreParts {
  settings: EncodeSettings
  signal: AbortSignal
  encoderFor: (bytes: number) => Encoder
  begin: (content: Uint8Array, plaintextBytes: number) => Promise<FlyingObject>
  place: (shares: EncodedShares, plaintextBytes: number) => Promise<void>
}

/** Large files that are stored at once. */
const maxFiles = 4
/** Extents that equal ones are looked for among. */
const maxRecent = 32_768

/** A file from when it is taken until its content is known. */
interface Taken<T> extends Pick<FileToStore<T>, 'item' | 'storedExtents'> {
  close: () => void
  resolve: (content: NamedFile) => void
  reject: (error: unknown) => void
}

export class FileStore<T> {
  readonly #parts: FileStoreParts
  readonly #options: FileStoreOptions<T>
  readonly #small: SmallFiles
  readonly #files = new Budget(maxFiles)
  readonly #recent = new RecentTags<ExtentUnderWay>(maxRecent)
  readonly #settings: EncodeSettings
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running = new Set<Promise<void>>()

  constructor(parts: FileStoreParts, options: FileStoreOptions<T>) {
    this.#parts = parts
    this.#options = options
    this.#signal = AbortSignal.any([parts.signal, this.#stop.signal])
    // every job that waits for its turn listens to it
    setMaxListeners(0, this.#signal)
    this.#settings = { ...parts.settings, compress: options.compress ?? false, tagged: true }
    const { encoderFor, begin } = parts
    const [settings, signal, known] = [this.#settings, this.#signal, options.known]
    this.#small = new SmallFiles({ settings, signal, encoderFor, begin, known })
  }

  /**
   * Takes a file as soon as there is room for it. Its content is known once its objects have names: of
   * a small one not before its bundle is full, or ended. It rejects with E_FILE for a file that
   * cannot be read; it need not be waited for.
   */
  async add(file: FileToStore<T>): Promise<{ content: Promise<NamedFile> }> {
    const { item, input, storedExtents } = file
    const close = once(file.close)
    let taken!: Taken<T>
    const content = new Promise<NamedFile>((resolve, reject) => {
      taken = { item, storedExtents, close, resolve, reject }
    })
    content.catch(() => undefined)
    try {
      this.#signal.throwIfAborted()
      await this.#take(taken, input)
      return { content }
    } catch (error) {
      close()
      taken.reject(error)
      throw error
    }
  }

  /** Starts on storing all small files so far. */
  endBundle(): Promise<void> {
    return this.#small.endBundle()
  }

  /** Gives up what is under way, and waits for it; nothing is, when all went well. */
  async end(): Promise<void> {
    this.#stop.abort(new Error('the sequence of files was given up'))
    await this.#small.idle()
    await Promise.allSettled(this.#running)
  }

  async #take(file: Taken<T>, input: FileToStore<T>['input']): Promise<void> {
    if ('fd' in input && input.sizeBytes <= maxBundledBytes)
      return this.#addSmall(file, { fd: input.fd }, input)
    const read = 'fd' in input ? input : await beginningOf(input.stream)
    if (read instanceof Uint8Array)
      return this.#addSmall(file, { bytes: read }, { ...input, sizeBytes: read.length })
    const leave = await this.#files.take(1, { signal: this.#signal })
    this.#run(file, read, leave)
  }

  async #addSmall(
    file: Taken<T>,
    packed: PackInput,
    input: FileInput & { sizeBytes: number },
  ): Promise<void> {
    const { close, resolve, reject } = file
    await this.#small.add({
      input: packed,
      sizeBytes: input.sizeBytes,
      close,
      done: resolve,
      fail: reject,
      isLarge: () => this.#run(file, input, () => undefined),
    })
  }

  #run(file: Taken<T>, input: FileInput, leave: () => void): void {
    const running = this.#storeLarge(file, input)
      .then(file.resolve, file.reject)
      .finally(() => {
        this.#running.delete(running)
        leave()
        file.close()
      })
    this.#running.add(running)
  }

  #storeLarge({ item, storedExtents }: Taken<T>, input: FileInput): Promise<NamedFile> {
    const { encoderFor, place } = this.#parts
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
    return storeLargeFile(context, input, { signal: this.#signal })
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
