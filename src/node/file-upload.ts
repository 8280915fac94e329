/**
 * Turns a file into objects on servers and what reads it back (docs/specs/tree.md,
 * "Writing"). Extents are cut, encoded and placed as a pipeline; what is in memory at once is
 * bounded by the encoder's budget, whatever the size of the file.
 */
import { concat } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { convergenceKeys } from '../caps/keys.ts'
import { maxExtentBytes } from '../encoding/chunker.ts'
import type { EncodedShares, Encoder, EncodeSettings, ExtentJob } from '../encoding/encoder.ts'
import type { ExtentRow } from '../tree/file-node.ts'
import { FileTreeWriter } from '../tree/file-writer.ts'
import { LoneNodes } from '../tree/node-sink.ts'
import type { ObjectRef } from '../tree/refs.ts'
import { plainStream } from '../tree/stream-row.ts'
import type { FileContent } from './file-content.ts'
import type { ObjectReport } from './object-upload.ts'

/** Files no longer than this are carried in the cap itself. */
export const maxLiteralBytes = 64

export type FileInput =
  /** A file open for reading. */
  | { fd: number; sizeBytes: number }
  /** Bytes as they come, cut anywhere. */
  | { stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array> }

export interface FileUploadContext {
  encoder: Encoder
  settings: EncodeSettings
  /** Places an object and gives its memory back. */
  place: (object: EncodedShares, options: { signal: AbortSignal }) => Promise<ObjectReport>
  /** Called with the bytes of the file that are safely stored so far. */
  onStored?: (bytes: number) => void
}

export interface UploadedFile {
  content: FileContent
  sizeBytes: number
  reports: ObjectReport[]
}

/** Extents that wait for their turn to be written into the tree; their shares are gone by then. */
const maxPending = 64

export async function uploadFile(
  context: FileUploadContext,
  input: FileInput,
  options: { signal?: AbortSignal } = {},
): Promise<UploadedFile> {
  const upload = new FileUpload(context, options.signal)
  try {
    return await upload.run(
      'fd' in input
        ? new FileExtents(context, input)
        : await StreamExtents.open(context, input.stream),
    )
  } catch (error) {
    await upload.abort(error)
    throw error
  }
}

/** Where extents come from, one after the other. */
interface ExtentSource {
  /** The whole content where it fits a cap. */
  literal: Uint8Array | undefined
  /** Starts on the next extent; undefined at the end. */
  next(options: { signal: AbortSignal }): Promise<ExtentJob | undefined>
}

class FileUpload {
  readonly #context: FileUploadContext
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #reports: ObjectReport[] = []
  readonly #pending: Promise<ExtentRow>[] = []
  #sizeBytes = 0

  constructor(context: FileUploadContext, signal: AbortSignal | undefined) {
    this.#context = context
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
  }

  async run(source: ExtentSource): Promise<UploadedFile> {
    const { literal } = source
    if (literal) {
      const content: FileContent = { kind: 'lit', content: literal }
      return { content, sizeBytes: literal.length, reports: [] }
    }
    const keys = convergenceKeys(this.#context.settings.secret)
    const tree = new FileTreeWriter(keys, new LoneNodes((slice) => this.#placeSlice(slice)))
    let first: ExtentRow | undefined
    let extents = 0
    const takeOne = async (): Promise<void> => {
      const row = (await this.#pending.shift())!
      first ??= row
      extents++
      await tree.add(row)
    }
    for (;;) {
      const job = await source.next({ signal: this.#signal })
      if (job === undefined) break
      this.#pending.push(this.#placeExtent(job))
      if (this.#pending.length > maxPending) await takeOne()
    }
    while (this.#pending.length > 0) await takeOne()
    if (first === undefined)
      throw new GridError('E_FILE_CHANGED', 'the file became empty while it was read')
    const content: FileContent =
      extents === 1
        ? { kind: 'file', content: first }
        : { kind: 'tree', content: await tree.finish() }
    return { content, sizeBytes: this.#sizeBytes, reports: this.#reports }
  }

  /** Ends whatever is under way, and waits for it. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason)
    await Promise.allSettled(this.#pending)
  }

  #placeExtent(job: ExtentJob): Promise<ExtentRow> {
    const placed = this.#finishExtent(job)
    // A failure stops the pipeline at once, and is thrown when the row's turn comes.
    placed.catch((error: unknown) => this.#stop.abort(error))
    return placed
  }

  async #finishExtent(job: ExtentJob): Promise<ExtentRow> {
    const extent = (await job.encoded)!
    const { plaintextBytes, readKey } = extent
    const object = await this.#place(extent)
    this.#sizeBytes += plaintextBytes
    this.#context.onStored?.(this.#sizeBytes)
    return plainStream(object, plaintextBytes, readKey)
  }

  async #placeSlice(slice: Uint8Array): Promise<ObjectRef> {
    const { encoder, settings } = this.#context
    return this.#place(await encoder.content(slice, settings, { signal: this.#signal }))
  }

  async #place(shares: EncodedShares): Promise<ObjectRef> {
    const { root, coding, ciphertextBytes } = shares
    this.#reports.push(await this.#context.place(shares, { signal: this.#signal }))
    return { root, ...coding, ciphertextBytes }
  }
}

/** Extents of a file: the worker that encodes one reads it too. */
class FileExtents implements ExtentSource {
  readonly literal = undefined
  readonly #context: FileUploadContext
  readonly #fd: number
  #position = 0

  constructor(context: FileUploadContext, { fd }: { fd: number }) {
    this.#context = context
    this.#fd = fd
  }

  async next(options: { signal: AbortSignal }): Promise<ExtentJob | undefined> {
    const { encoder, settings } = this.#context
    const job = await encoder.extent({ fd: this.#fd, position: this.#position }, settings, options)
    const length = await job.cut
    this.#position += length
    return length === 0 ? undefined : job
  }
}

/** Extents of a stream: a window as long as the longest extent is kept full in front of the cutter. */
class StreamExtents implements ExtentSource {
  readonly #context: FileUploadContext
  readonly #source: AsyncIterator<Uint8Array>
  #window: Uint8Array = new Uint8Array(0)
  #ended = false
  literal: Uint8Array | undefined

  private constructor(context: FileUploadContext, source: AsyncIterator<Uint8Array>) {
    this.#context = context
    this.#source = source
  }

  static async open(
    context: FileUploadContext,
    stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<StreamExtents> {
    const extents = new StreamExtents(context, asyncIterator(stream))
    await extents.#fill()
    if (extents.#ended && extents.#window.length <= maxLiteralBytes)
      extents.literal = extents.#window
    return extents
  }

  async next(options: { signal: AbortSignal }): Promise<ExtentJob | undefined> {
    const { encoder, settings } = this.#context
    await this.#fill()
    if (this.#window.length === 0) return undefined
    // The encoder takes over what it is given, and only says later where the extent ends.
    const job = await encoder.extent(
      { bytes: this.#window.slice(0, maxExtentBytes) },
      settings,
      options,
    )
    this.#window = this.#window.subarray(await job.cut)
    return job
  }

  async #fill(): Promise<void> {
    const pieces = [this.#window]
    let length = this.#window.length
    while (!this.#ended && length < maxExtentBytes) {
      const next = await this.#source.next()
      if (next.done) this.#ended = true
      else {
        pieces.push(next.value)
        length += next.value.length
      }
    }
    if (pieces.length > 1) this.#window = concat(...pieces)
  }
}

async function* asyncIterator(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* stream
}
