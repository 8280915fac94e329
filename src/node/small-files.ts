/**
 * The small files of a sequence: packed in batches by the encoder, and bundled in the order in which
 * they came (docs/specs/encoding.md, "Bundles"). One whose bytes are stored already is named where
 * they are.
 */
import { equalBytes } from '../base/bytes.ts'
import { Budget } from '../base/limit.ts'
import { Bundler, type FullBundle } from '../encoding/bundle.ts'
import type { Encoder, EncodeSettings } from '../encoding/encoder.ts'
import type { StreamShape } from '../encoding/file-stream.ts'
import type { PackedFile, PackedStream, PackInput } from '../encoding/pack.ts'
import type { ObjectRef } from '../tree/refs.ts'
import { agreeing, type FindKnown, RecentTags } from './known-stream.ts'
import type { FlyingObject } from './object-writer.ts'
import type { NamedFile } from './stored-file.ts'

export interface SmallFilesContext {
  settings: EncodeSettings
  signal: AbortSignal
  /** The encoder for so many bytes. */
  encoderFor: (bytes: number) => Encoder
  /** Starts on an object, once there is room for it; it holds so many bytes of files. */
  begin: (content: Uint8Array, plaintextBytes: number) => Promise<FlyingObject>
  known: FindKnown | undefined
}

/** A file that waits to be packed. Exactly one of the last three is called, once; none if all is given up before. */
export interface SmallFile {
  input: PackInput
  /** As far as is known. */
  sizeBytes: number
  /** The input is not needed any more. */
  close: () => void
  done: (file: NamedFile) => void
  /** The file turned out to be too large; it is not closed. */
  isLarge: () => void
  fail: (error: unknown) => void
}

/** What a batch takes: enough that a trip to a thread costs little beside it. */
const maxBatchFiles = 128
const maxBatchBytes = 2 ** 20
/** Batches that are packed, or wait for the one before. */
const maxBatches = 6
/** Streams that equal ones are looked for among. */
const maxRecent = 32_768

/** Where a stream is, or will be. */
interface Place {
  object: ObjectRef
  offset: number
  stored: Promise<void>
}

interface Bundled {
  shape: StreamShape
  resolve: (place: Place) => void
  reject: (error: unknown) => void
}

/** A stream that this run has bundled. */
interface Met {
  readKey: Uint8Array
  place: Promise<Place>
}

export class SmallFiles {
  readonly #context: SmallFilesContext
  readonly #batches = new Budget(maxBatches)
  readonly #bundler = new Bundler<Bundled>()
  readonly #recent = new RecentTags<Met>(maxRecent)
  #batch: SmallFile[] = []
  #batchBytes = 0
  /** Ends when all batches so far have been bundled, in their order. */
  #bundled: Promise<void> = Promise.resolve()
  #hasPacked = false

  constructor(context: SmallFilesContext) {
    this.#context = context
  }

  /** Takes the next file, of at most `maxBundledBytes`, as soon as there is room for it. */
  async add(file: SmallFile): Promise<void> {
    if (this.#batchBytes + file.sizeBytes > maxBatchBytes) await this.#pack()
    this.#batch.push(file)
    this.#batchBytes += file.sizeBytes
    if (this.#batch.length >= maxBatchFiles) await this.#pack()
  }

  /** Starts on a bundle of all that came so far. */
  async endBundle(): Promise<void> {
    await this.#pack()
    await this.#bundled
    await this.#storeBundles(this.#bundler.finish())
  }

  /** Resolves when nothing is packed any more, and no file read. */
  async idle(): Promise<void> {
    for (const { close } of this.#batch.splice(0)) close()
    await this.#bundled
  }

  async #pack(): Promise<void> {
    const { signal, settings, encoderFor } = this.#context
    const files = this.#batch
    if (files.length === 0) return
    const leave = await this.#batches.take(1, { signal })
    const isFew = !this.#hasPacked && files.length < maxBatchFiles
    const encoder = encoderFor(isFew ? this.#batchBytes : Infinity)
    this.#batch = []
    this.#batchBytes = 0
    this.#hasPacked = true
    const inputs = files.map(({ input }) => input)
    const packed = encoder.pack(inputs, settings, { signal })
    packed.catch(() => undefined)
    this.#bundled = this.#bundled.then(() => this.#bundle(files, packed)).finally(leave)
  }

  /** Never rejects: each file is told. */
  async #bundle(files: readonly SmallFile[], packing: Promise<PackedFile[]>): Promise<void> {
    try {
      const packed = await packing
      for (const [i, file] of files.entries()) {
        if (packed[i].kind !== 'large') file.close()
      }
      for (const [i, file] of files.entries()) await this.#take(file, packed[i])
    } catch (error) {
      for (const { close, fail } of files) {
        close()
        fail(error)
      }
    }
  }

  async #take(file: SmallFile, packed: PackedFile): Promise<void> {
    switch (packed.kind) {
      case 'large': {
        file.isLarge()
        return
      }
      case 'failed': {
        file.fail(packed.error)
        return
      }
      case 'literal': {
        const { bytes, fuzzy } = packed
        const content = { kind: 'lit', content: bytes } as const
        file.done({ ...content, ...noParts, sizeBytes: bytes.length, tag: undefined, fuzzy })
        return
      }
      case 'stream':
        return this.#takeStream(file, packed)
    }
  }

  async #takeStream(file: SmallFile, packed: PackedStream): Promise<void> {
    const { tag, fuzzy } = packed
    const shape = shapeOf(packed)
    const done = ({ object, offset, stored }: Place): void => {
      const content = { object, offset, ...shape }
      const sizeBytes = shape.plaintextBytes
      file.done({ kind: 'file', content, ...noParts, sizeBytes, tag, fuzzy, stored })
    }
    const met = this.#recent.get(tag)
    if (met !== undefined && equalBytes(met.readKey, shape.readKey)) {
      met.place.then(done, file.fail)
      return
    }
    const known = agreeing(this.#context.known?.(tag), shape)
    if (known !== undefined) {
      done({ ...known, stored: noParts.stored })
      return
    }
    let full: FullBundle<Bundled>[] = []
    const place = new Promise<Place>((resolve, reject) => {
      full = this.#bundler.add(packed, { shape, resolve, reject })
    })
    place.then(done, file.fail)
    this.#recent.set(tag, { readKey: shape.readKey, place })
    await this.#storeBundles(full)
  }

  async #storeBundles(bundles: readonly FullBundle<Bundled>[]): Promise<void> {
    for (const { content, items } of bundles) {
      const plaintextBytes = items.reduce((sum, { item }) => sum + item.shape.plaintextBytes, 0)
      try {
        const { named, stored } = await this.#context.begin(content, plaintextBytes)
        named.then(
          (object) => {
            for (const { item, offset } of items) item.resolve({ object, offset, stored })
          },
          (error: unknown) => rejectAll(items, error),
        )
      } catch (error) {
        rejectAll(items, error)
      }
    }
  }
}

const noParts = { extents: [], nodes: [], stored: Promise.resolve() }

function shapeOf({ readKey, plaintextBytes, compression, storedBytes }: StreamShape): StreamShape {
  return { readKey, plaintextBytes, compression, storedBytes }
}

function rejectAll(items: FullBundle<Bundled>['items'], error: unknown): void {
  for (const { item } of items) item.reject(error)
}
