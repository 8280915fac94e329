/** Bytes of rows, one field behind the other: written into a buffer that grows, and parsed totally. */
import { damagedCache } from './sealed-page.ts'

/** Seven bits a byte, least first, the top bit set on all but the last: 0 … 2^53-1 in at most 8. */
const maxVarintBytes = 8

export class RowBuilder {
  #bytes = new Uint8Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written since the last `clear`: a view, good until more is written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): this {
    this.#length = 0
    return this
  }

  byte(value: number): this {
    this.#makeRoom(1)
    this.#bytes[this.#length++] = value
    return this
  }

  varint(value: number): this {
    this.#makeRoom(maxVarintBytes)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  bytes(value: Uint8Array): this {
    this.#makeRoom(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** A length, and that many bytes. */
  text(value: Uint8Array): this {
    return this.varint(value.length).bytes(value)
  }

  #makeRoom(length: number): void {
    const end = this.#length + length
    if (end <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
    grown.set(this.written)
    this.#bytes = grown
  }
}

/** Each method throws E_CACHE for what is not there or out of range. */
export class RowParser {
  readonly #bytes: Uint8Array
  readonly #end: number
  at: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes
    this.at = start
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.at === this.#end
  }

  byte(max = 0xff): number {
    if (this.at >= this.#end) throw damagedCache('a row that ends too soon')
    const value = this.#bytes[this.at++]
    if (value > max) throw damagedCache('a number out of range')
    return value
  }

  varint(min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < maxVarintBytes; count++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value < min || value > max) break
        return value
      }
      scale *= 0x80
    }
    throw damagedCache('a number out of range')
  }

  /** A view. */
  bytes(length: number): Uint8Array {
    const start = this.at
    this.skip(length)
    return this.#bytes.subarray(start, this.at)
  }

  text(maxBytes: number): Uint8Array {
    return this.bytes(this.varint(0, maxBytes))
  }

  skip(length: number): void {
    if (length > this.#end - this.at) throw damagedCache('a row that ends too soon')
    this.at += length
  }

  /** Throws unless all has been read. */
  finish(): void {
    if (!this.isAtEnd) throw damagedCache('a row that goes on behind its end')
  }
}
