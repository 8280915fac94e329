/** Writes a new file from its beginning, and leaves holes where there are only zeros. */
import { ftruncateSync, writeSync } from 'node:fs'
import { GridError } from '../base/errors.ts'

/** The grain of holes in the file systems that have any. */
export const holeBytes = 4096

const zeros = new Uint8Array(holeBytes)

export class SparseWriter {
  readonly #fd: number
  readonly #sizeBytes: number
  #written = 0
  /** Where the file ends by now. */
  #end = 0

  /** `fd` is an empty file; `sizeBytes` what the content must come to, neither more nor less. */
  constructor(fd: number, sizeBytes: number) {
    this.#fd = fd
    this.#sizeBytes = sizeBytes
  }

  /** Throws E_SIZE for a byte more than announced, before it is written. `piece` is borrowed. */
  write(piece: Uint8Array): void {
    if (this.#written + piece.length > this.#sizeBytes) throw wrongSize('longer', this.#sizeBytes)
    this.#end = Math.max(this.#end, writeSparsely(this.#fd, this.#written, piece))
    this.#written += piece.length
  }

  /** Throws E_SIZE for a byte less than announced. */
  end(): void {
    if (this.#written < this.#sizeBytes) throw wrongSize('shorter', this.#sizeBytes)
    if (this.#end !== this.#sizeBytes) endFile(this.#fd, this.#sizeBytes)
  }
}

/**
 * Writes at `position` of a file that has a hole there, and leaves it where there are only zeros.
 * Returns where the last byte that was written ends; 0 if there was none.
 */
export function writeSparsely(fd: number, position: number, piece: Uint8Array): number {
  let dataStart = 0
  for (let start = 0; start < piece.length;) {
    const toBoundary = holeBytes - ((position + start) % holeBytes)
    const end = Math.min(piece.length, start + toBoundary)
    if (isZero(piece.subarray(start, end))) {
      put(fd, position + dataStart, piece.subarray(dataStart, start))
      dataStart = end
    }
    start = end
  }
  put(fd, position + dataStart, piece.subarray(dataStart))
  return dataStart < piece.length ? position + piece.length : 0
}

/** Gives a file its length, where a hole may be last. */
export function endFile(fd: number, sizeBytes: number): void {
  ftruncateSync(fd, sizeBytes)
}

function put(fd: number, position: number, data: Uint8Array): void {
  for (let done = 0; done < data.length;)
    done += writeSync(fd, data, done, data.length - done, position + done)
}

function isZero(block: Uint8Array): boolean {
  if (block[0] !== 0 || block[block.length - 1] !== 0) return false
  return Buffer.compare(block, zeros.subarray(0, block.length)) === 0
}

function wrongSize(how: 'longer' | 'shorter', sizeBytes: number): GridError {
  return new GridError('E_SIZE', `the content is ${how} than the ${sizeBytes} bytes of its entry`)
}
