/**
 * Stores a sequence of files: small ones end to end in bundles, large ones each by itself, with
 * results in the order of the inputs (docs/specs/encoding.md, "Bundles").
 */
import { concat } from '../base/bytes.ts'
import { Budget } from '../base/limit.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import { Bundler, type FullBundle } from '../encoding/bundle.ts'
import { maxBundledBytes, sealFileStream, type StreamShape } from '../encoding/file-stream.ts'
import type { ContentStore } from '../tree/node-sink.ts'
import type { FileContent } from './file-content.ts'
import { syncFileReader } from './file-source.ts'
import { type FileInput, maxLiteralBytes } from './file-upload.ts'

export interface ManyInput<T> {
  /** What comes back with the result. */
  item: T
  input: FileInput & { sizeBytes?: number }
  /** Called once `input` is not needed any more; not if the sequence is given up before. */
  close?: () => void
}

export type ManyResult<T> = FileContent & { item: T; sizeBytes: number }

export interface ManyOptions {
  /** Compresses small files where that pays; off unless told. */
  compress?: boolean
}

export interface ManyStore {
  keys: ConvergenceKeys
  signal: AbortSignal
  storeBundle: ContentStore
  storeFile: (input: FileInput) => Promise<FileContent & { sizeBytes: number }>
}

/** Large files that are stored at once. */
const maxFiles = 4
/** Results that wait for those before them; a bundle that keeps more of them waiting is ended. */
const maxWaiting = 32_768

type StoredFile = FileContent & { sizeBytes: number }

/** A result that may be long in coming. */
interface Waiting<T> {
  item: T
  content: Promise<StoredFile>
  isReady: boolean
}

/** A small file whose bundle is not full yet. */
interface Bundled {
  shape: StreamShape
  resolve: (content: StoredFile) => void
  reject: (error: unknown) => void
}

export async function* storeMany<T>(
  store: ManyStore,
  files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
  options: ManyOptions,
): AsyncGenerator<ManyResult<T>> {
  const many = new ManyFiles(store, options)
  const waiting: Waiting<T>[] = []
  try {
    for await (const { item, input, close } of files) {
      const added: Waiting<T> = { item, isReady: false, ...(await many.add(input, close)) }
      const ready = (): void => {
        added.isReady = true
      }
      added.content.then(ready, ready)
      waiting.push(added)
      if (waiting.length >= maxWaiting) await many.endBundle()
      while (waiting[0]?.isReady || waiting.length >= maxWaiting)
        yield await resultOf(waiting.shift()!)
    }
    await many.endBundle()
    for (const result of waiting.splice(0)) yield await resultOf(result)
  } finally {
    await many.giveUp()
  }
}

async function resultOf<T>({ item, content }: Waiting<T>): Promise<ManyResult<T>> {
  return { item, ...(await content) }
}

class ManyFiles {
  readonly #store: ManyStore
  readonly #compress: boolean
  readonly #read = syncFileReader()
  readonly #files = new Budget(maxFiles)
  readonly #running = new Set<Promise<unknown>>()
  readonly #bundler = new Bundler<Bundled>()
  /** The bundle before, which has a name before the next one is begun. */
  #storing: Promise<void> = Promise.resolve()

  constructor(store: ManyStore, { compress = false }: ManyOptions) {
    this.#store = store
    this.#compress = compress
  }

  /** Takes a file as soon as there is room for it; what comes of it is known later. */
  async add(
    input: ManyInput<unknown>['input'],
    close: (() => void) | undefined,
  ): Promise<{ content: Promise<StoredFile> }> {
    const { signal } = this.#store
    signal.throwIfAborted()
    const read = await this.#readSmall(input)
    if (read instanceof Uint8Array) {
      close?.()
      return this.#addSmall(read)
    }
    const leave = await this.#files.take(1, { signal })
    const content = this.#store.storeFile(read).finally(() => {
      leave()
      close?.()
    })
    this.#follow(content)
    return { content }
  }

  /** Stores what has been bundled so far. */
  endBundle(): Promise<void> {
    return this.#storeBundles(this.#bundler.finish())
  }

  /** Waits for what is under way; nothing of it is waited for when all went well. */
  async giveUp(): Promise<void> {
    for (const { items } of this.#bundler.finish())
      for (const { item } of items) item.reject(this.#store.signal.reason)
    await Promise.allSettled(this.#running)
  }

  async #addSmall(bytes: Uint8Array): Promise<{ content: Promise<StoredFile> }> {
    const sizeBytes = bytes.length
    if (sizeBytes <= maxLiteralBytes) {
      const literal: StoredFile = { kind: 'lit', content: bytes, sizeBytes }
      return { content: Promise.resolve(literal) }
    }
    const stream = sealFileStream(this.#store.keys, bytes, { compress: this.#compress })
    const { readKey, plaintextBytes, compression, storedBytes } = stream
    const shape = { readKey, plaintextBytes, compression, storedBytes }
    let full: FullBundle<Bundled>[] = []
    const content = new Promise<StoredFile>((resolve, reject) => {
      full = this.#bundler.add(stream, { shape, resolve, reject })
    })
    content.catch(() => undefined)
    await this.#storeBundles(full)
    return { content }
  }

  async #storeBundles(bundles: readonly FullBundle<Bundled>[]): Promise<void> {
    for (const bundle of bundles) {
      await this.#storing
      this.#storing = this.#storeBundle(bundle)
      this.#follow(this.#storing)
    }
  }

  async #storeBundle({ content, items }: FullBundle<Bundled>): Promise<void> {
    try {
      const object = await this.#store.storeBundle(content)
      for (const { item, offset } of items) {
        const { shape, resolve } = item
        resolve({
          kind: 'file',
          content: { object, offset, ...shape },
          sizeBytes: shape.plaintextBytes,
        })
      }
    } catch (error) {
      for (const { item } of items) item.reject(error)
    }
  }

  #follow(work: Promise<unknown>): void {
    const followed = work.catch(() => undefined).finally(() => this.#running.delete(followed))
    this.#running.add(followed)
  }

  /** All of a small file, or an input that gives what a larger one holds. */
  async #readSmall(input: ManyInput<unknown>['input']): Promise<Uint8Array | FileInput> {
    if ('fd' in input) {
      if (input.sizeBytes > maxBundledBytes) return input
      return this.#read(input.fd, 0, input.sizeBytes).slice()
    }
    const pieces: Uint8Array[] = []
    let length = 0
    const source = iteratorOf(input.stream)
    while (length <= maxBundledBytes) {
      const next = await source.next()
      if (next.done) return concat(...pieces)
      pieces.push(next.value)
      length += next.value.length
    }
    return { stream: resumed(pieces, source) }
  }
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
