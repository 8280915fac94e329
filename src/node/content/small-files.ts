/**
 * The small files of a sequence: packed in batches by the encoder, and bundled in the order in which
 * they came (docs/specs/encoding.md, "Bundles"). One whose bytes are stored already is named where
 * they are.
 */
import { equalBytes } from '../../base/bytes.ts'
import { Budget } from '../../base/limit.ts'
import { Bundler, type FullBundle, maxBundleBytes } from '../../encoding/bundle.ts'
import type { Encoder, EncodeSettings, Packed } from '../../encoding/encoder.ts'
import type { PackedFile, PackedStream, PackInput } from '../../encoding/pack.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'
import { agreeing, type FindKnown, RecentTags } from './known-stream.ts'
import type { FlyingObject } from './object-writer.ts'
import type { NamedFile } from './stored-file.ts'

export interface SmallFilesContext {
  settings: EncodeSettings
  signal: AbortSignal
  /** The encoder for so many bytes. */
  encoderFor: (bytes: number) => Encoder
  /** Starts on an object, once there is room for it; it holds so many bytes of files. Its memory comes back. */
  begin: (
    content: Uint8Array,
    plaintextBytes: number,
    giveBack: (memory: ArrayBuffer) => void,
  ) => Promise<FlyingObject>
  known: FindKnown | undefined
}

/** A file that waits to be packed. Exactly one of `done`, `isLarge` and `fail` is called, once; none if all is given up before. */
export interface SmallFile {
  readonly input: PackInput
  /** As far as is known. */
  readonly sizeBytes: number
  /** The input is not needed any more. */
  close(): void
  done(file: NamedFile): void
  /** The file turned out to be too large; it is not closed. */
  isLarge(): void
  fail(error: unknown): void
}

/** What a batch takes: enough that a trip to a thread costs little beside it. */
const maxBatchFiles = 256
const maxBatchBytes = 2 ** 21
/** Batches that are packed, or wait for the one before. */
const maxBatches = 4
/** Streams that equal ones are looked for among. */
const maxRecent = 8192

/** A stream on its way into an object. */
interface Bundled {
  packed: PackedStream
  met: Met
  /** The files that hold it. */
  files: { file: SmallFile; fuzzy: boolean }[]
}

/** A stream that this run has met: on its way, or where it is. */
interface Met {
  bundled: Bundled | undefined
  place: { stream: StreamRef; stored: Promise<void> } | undefined
}

export class SmallFiles {
  readonly #context: SmallFilesContext
  readonly #batches = new Budget(maxBatches)
  /** Memory of bundles that are encoded. */
  readonly #rooms: ArrayBuffer[] = []
  readonly #bundler = new Bundler<Bundled>(() => {
    const room = this.#rooms.pop()
    return new Uint8Array(room ?? new ArrayBuffer(maxBundleBytes))
  })
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
    for (const full of this.#bundler.finish()) await this.#storeBundle(full)
  }

  /** Resolves when nothing is packed any more, and no file read. */
  async idle(): Promise<void> {
    for (const file of this.#batch.splice(0)) file.close()
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
  async #bundle(files: readonly SmallFile[], packing: Promise<Packed>): Promise<void> {
    try {
      const packed = await packing
      for (const [i, file] of files.entries()) {
        if (packed.files[i].kind !== 'large') file.close()
      }
      for (const [i, file] of files.entries()) await this.#take(file, packed.files[i])
      packed.release()
    } catch (error) {
      for (const file of files) {
        file.close()
        file.fail(error)
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
        await this.#takeStream(file, packed)
    }
  }

  async #takeStream(file: SmallFile, packed: PackedStream): Promise<void> {
    const { tag, fuzzy, readKey } = packed
    const met = this.#recent.get(tag)
    if (met?.place !== undefined && equalBytes(met.place.stream.readKey, readKey)) {
      file.done(fileOf(met.place.stream, tag, fuzzy, met.place.stored))
      return
    }
    if (met?.bundled !== undefined && equalBytes(met.bundled.packed.readKey, readKey)) {
      met.bundled.files.push({ file, fuzzy })
      return
    }
    const known = agreeing(this.#context.known?.(tag), packed)
    if (known !== undefined) {
      file.done(fileOf(known, tag, fuzzy, noParts.stored))
      return
    }
    const meeting: Met = { bundled: undefined, place: undefined }
    const bundled = { packed, met: meeting, files: [{ file, fuzzy }] }
    meeting.bundled = bundled
    this.#recent.set(tag, meeting)
    for (const full of this.#bundler.add(packed, bundled)) await this.#storeBundle(full)
  }

  async #storeBundle({ content, items }: FullBundle<Bundled>): Promise<void> {
    const plaintextBytes = items.reduce((sum, { item }) => sum + item.packed.plaintextBytes, 0)
    try {
      const { named, stored } = await this.#context.begin(content, plaintextBytes, (memory) =>
        this.#rooms.push(memory),
      )
      named.then(
        (object) => {
          for (const { item, offset } of items) settle(item, object, offset, stored)
        },
        (error: unknown) => failAll(items, error),
      )
    } catch (error) {
      failAll(items, error)
    }
  }
}

const noParts = { extents: [], nodes: [], stored: Promise.resolve() }

function settle(
  { packed, met, files }: Bundled,
  object: ObjectRef,
  offset: number,
  stored: Promise<void>,
): void {
  const { readKey, plaintextBytes, compression, storedBytes, tag } = packed
  const stream = { object, offset, readKey, plaintextBytes, compression, storedBytes }
  met.place = { stream, stored }
  met.bundled = undefined
  for (const { file, fuzzy } of files) file.done(fileOf(stream, tag, fuzzy, stored))
}

function fileOf(
  content: StreamRef,
  tag: Uint8Array,
  fuzzy: boolean,
  stored: Promise<void>,
): NamedFile {
  const { plaintextBytes: sizeBytes } = content
  const { extents, nodes } = noParts
  return { kind: 'file', content, sizeBytes, tag, extents, nodes, fuzzy, stored }
}

function failAll(items: FullBundle<Bundled>['items'], error: unknown): void {
  for (const { item } of items) for (const { file } of item.files) file.fail(error)
}
