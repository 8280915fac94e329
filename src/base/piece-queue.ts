/**
 * Bytes that wait for a reader, in the order in which they came. Small pieces are copied together: a
 * piece of one byte takes a hundred times that, and how long they are decides whoever sends them.
 */

/** Shorter pieces are copied, into buffers of this length: so all take twice their bytes at most. */
const smallBytes = 4096

export class PieceQueue {
  readonly #pieces: Uint8Array[] = []
  /** What small pieces are copied into, behind all of `#pieces`; `#usedBytes` of it are filled. */
  #buffer: Uint8Array | undefined
  #usedBytes = 0
  #bytes = 0

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** `piece` may be kept, and is not to be changed. */
  push(piece: Uint8Array): void {
    this.#bytes += piece.length
    if (piece.length === 0) return
    // what is taken at once, as most is, need not be copied
    if (piece.length >= smallBytes || this.#bytes === piece.length) {
      this.#endBuffer()
      this.#pieces.push(piece)
      return
    }
    if (this.#usedBytes + piece.length > smallBytes) this.#endBuffer()
    this.#buffer ??= new Uint8Array(smallBytes)
    this.#buffer.set(piece, this.#usedBytes)
    this.#usedBytes += piece.length
  }

  /** Takes the next piece out, never empty; undefined where nothing waits. */
  shift(): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#endBuffer()
    const piece = this.#pieces.shift()
    this.#bytes -= piece?.length ?? 0
    return piece
  }

  clear(): void {
    this.#pieces.length = 0
    this.#buffer = undefined
    this.#usedBytes = 0
    this.#bytes = 0
  }

  #endBuffer(): void {
    if (this.#buffer !== undefined) this.#pieces.push(this.#buffer.subarray(0, this.#usedBytes))
    this.#buffer = undefined
    this.#usedBytes = 0
  }
}
