/**
 * Small files on their way into bundles: read, tagged, compressed and sealed, one after the other
 * (docs/specs/encoding.md, "Bundles"). What is sealed is what was tagged: both come from the same
 * bytes in memory, whatever happens to the file meanwhile.
 */
import { GridError } from '../base/errors.ts'
import { type ConvergenceKeys, tagOf } from '../caps/keys.ts'
import { type FileReader, isSameState } from './file-reader.ts'
import { maxBundledBytes, sealFileStream, type StreamShape } from './file-stream.ts'

/** Files no longer than this are carried by what names them. */
export const maxLiteralBytes = 64

export type PackInput =
  /** The whole content, handed over. */
  | { bytes: Uint8Array }
  /** A file open for reading; it stays so until the pack is done. */
  | { fd: number }

export interface PackedStream extends StreamShape {
  kind: 'stream'
  /** T of docs/specs/encoding.md, "Keys": 16 bytes. */
  tag: Uint8Array
  cutValue: number
  /** Commitment and ciphertext. */
  sealed: Uint8Array
  /** The file changed while it was read, twice: the bytes may be those of no moment. */
  fuzzy: boolean
}

export type PackedFile =
  | PackedStream
  /** At most 64 bytes, as they are. */
  | { kind: 'literal'; bytes: Uint8Array; fuzzy: boolean }
  /** The file has grown beyond what a bundle takes; nothing was done with it. */
  | { kind: 'large' }
  | { kind: 'failed'; error: GridError }

/** Room for the streams of a pack of usual length. */
const minSealedRoom = maxBundledBytes + 64 * 1024

export class Packer {
  readonly #reader: FileReader | undefined
  #room: Uint8Array = new Uint8Array(0)
  /** Where streams are sealed: used again by the next pack, for a thread should not leave much to be collected. */
  #sealed: Uint8Array = new Uint8Array(0)
  #sealedBytes = 0

  constructor(reader: FileReader | undefined) {
    this.#reader = reader
  }

  /**
   * The results in the order of `inputs`; a file that cannot be read fails alone. Sealed streams are
   * good until the next call.
   */
  pack(
    keys: ConvergenceKeys,
    inputs: readonly PackInput[],
    options: { compress?: boolean },
  ): PackedFile[] {
    this.#sealedBytes = 0
    return inputs.map((input) => {
      try {
        return this.#packOne(keys, input, options)
      } catch (error) {
        return { kind: 'failed', error: asFileError(error) }
      }
    })
  }

  #packOne(
    keys: ConvergenceKeys,
    input: PackInput,
    { compress = false }: { compress?: boolean },
  ): PackedFile {
    const content = 'bytes' in input ? { ...input, fuzzy: false } : this.#read(input.fd)
    if (content === undefined || content.bytes.length > maxBundledBytes) return { kind: 'large' }
    const { bytes, fuzzy } = content
    if (bytes.length <= maxLiteralBytes) return { kind: 'literal', bytes: bytes.slice(), fuzzy }
    const tag = tagOf(keys, bytes)
    const stream = sealFileStream(keys, bytes, { compress, room: this.#take })
    return { kind: 'stream', tag, fuzzy, ...stream }
  }

  readonly #take = (length: number): Uint8Array => {
    if (this.#sealedBytes + length > this.#sealed.length) {
      // what was sealed before stays where it is
      this.#sealed = new Uint8Array(Math.max(minSealedRoom, length))
      this.#sealedBytes = 0
    }
    this.#sealedBytes += length
    return this.#sealed.subarray(this.#sealedBytes - length, this.#sealedBytes)
  }

  /** A view of the room, good until the next file is read; undefined where the file is too large. */
  #read(fd: number): { bytes: Uint8Array; fuzzy: boolean } | undefined {
    const reader = this.#reader
    if (reader === undefined) throw new GridError('E_FILE', 'this encoder reads no files')
    if (this.#room.length === 0) this.#room = new Uint8Array(maxBundledBytes)
    let before = reader.state(fd)
    for (let attempt = 1; ; attempt++) {
      const { sizeBytes } = before
      if (sizeBytes > maxBundledBytes) return undefined
      const length = reader.read(fd, 0, this.#room.subarray(0, sizeBytes))
      const after = reader.state(fd)
      const isWhole = length === sizeBytes && isSameState(before, after)
      if (isWhole || attempt === 2)
        return { bytes: this.#room.subarray(0, length), fuzzy: !isWhole }
      before = after
    }
  }
}

/** What the system said of a file; a mistake of this program stays one. */
export function asFileError(error: unknown): GridError {
  if (error instanceof GridError) return error
  if (!(error instanceof Error && 'syscall' in error)) throw error
  return new GridError('E_FILE', error.message, { cause: error })
}
