/** Where the extents of a large file come from, one after the other: an open file, or a stream. */
import { concat } from '../../base/bytes.ts'
import { maxExtentBytes } from '../../encoding/chunker.ts'
import type { CutExtent, Encoder, EncodeSettings } from '../../encoding/encoder.ts'
import { maxLiteralBytes } from '../../encoding/pack.ts'

export type FileInput =
  /** A file open for reading. */
  | { fd: number; sizeBytes: number }
  /** Bytes as they come, cut anywhere. */
  | { stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array> }

export interface ExtentSource {
  /** The whole content where it fits a cap. */
  literal: Uint8Array | undefined
  /** The next extent; undefined at the end. */
  next(options: { signal: AbortSignal }): Promise<CutExtent | undefined>
}

interface Cutting {
  encoder: Encoder
  settings: EncodeSettings
}

/** The extents of `input` from byte `start` on. */
export async function openExtents(
  cutting: Cutting,
  input: FileInput,
  start: number,
): Promise<ExtentSource> {
  if ('fd' in input) return new FileExtents(cutting, input.fd, start)
  return StreamExtents.open(cutting, input.stream, start)
}

/** Extents of a file: the worker that cuts one reads it too. */
class FileExtents implements ExtentSource {
  readonly literal = undefined
  readonly #cutting: Cutting
  readonly #fd: number
  #position: number

  constructor(cutting: Cutting, fd: number, start: number) {
    this.#cutting = cutting
    this.#fd = fd
    this.#position = start
  }

  async next(options: { signal: AbortSignal }): Promise<CutExtent | undefined> {
    const { encoder, settings } = this.#cutting
    const input = { fd: this.#fd, position: this.#position }
    const extent = await encoder.cut(input, settings, options)
    this.#position += extent?.plaintext.length ?? 0
    return extent
  }
}

/** Extents of a stream: a window as long as the longest extent is kept full in front of the cutter. */
class StreamExtents implements ExtentSource {
  readonly #cutting: Cutting
  readonly #source: AsyncIterator<Uint8Array>
  #window: Uint8Array = new Uint8Array(0)
  #ended = false
  literal: Uint8Array | undefined

  private constructor(cutting: Cutting, source: AsyncIterator<Uint8Array>) {
    this.#cutting = cutting
    this.#source = source
  }

  static async open(
    cutting: Cutting,
    stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    start: number,
  ): Promise<StreamExtents> {
    const extents = new StreamExtents(cutting, behind(stream, start))
    await extents.#fill()
    if (start === 0 && extents.#ended && extents.#window.length <= maxLiteralBytes)
      extents.literal = extents.#window
    return extents
  }

  async next(options: { signal: AbortSignal }): Promise<CutExtent | undefined> {
    const { encoder, settings } = this.#cutting
    await this.#fill()
    if (this.#window.length === 0) return undefined
    // The encoder takes over what it is given, and only says later where the extent ends.
    const bytes = this.#window.slice(0, maxExtentBytes)
    const extent = await encoder.cut({ bytes }, settings, options)
    this.#window = this.#window.subarray(extent?.plaintext.length ?? 0)
    return extent
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

/** A stream without its first `start` bytes. */
async function* behind(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  start: number,
): AsyncGenerator<Uint8Array> {
  let left = start
  for await (const piece of stream) {
    const skipped = Math.min(left, piece.length)
    left -= skipped
    if (skipped < piece.length) yield piece.subarray(skipped)
  }
}
