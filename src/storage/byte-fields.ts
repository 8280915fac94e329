/** Fields of fixed width and byte strings end to end, written and read in order. */
import { concat, readU16be, readU32be, readU64be, u32be, u64be } from '../base/bytes.ts'

export class ByteWriter {
  readonly #parts: Uint8Array[] = []

  u8(value: number): void {
    this.#parts.push(Uint8Array.of(value))
  }

  u16(value: number): void {
    this.#parts.push(u32be(value).subarray(2))
  }

  u32(value: number): void {
    this.#parts.push(u32be(value))
  }

  u64(value: number): void {
    this.#parts.push(u64be(value))
  }

  /** `bytes` are borrowed until `bytes()`. */
  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes)
  }

  /** All of it, in a new array. */
  bytes(): Uint8Array {
    return concat(...this.#parts)
  }
}

/** Throws what `fail` makes where a field is not there, or not what it should be. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #fail: () => Error
  #offset = 0

  constructor(bytes: Uint8Array, fail: () => Error) {
    this.#bytes = bytes
    this.#fail = fail
  }

  u8(): number {
    return this.#bytes[this.#skip(1)]
  }

  u16(): number {
    return readU16be(this.#bytes, this.#skip(2))
  }

  u32(): number {
    return readU32be(this.#bytes, this.#skip(4))
  }

  /** An integer of 0 … 2^53-1. */
  u64(): number {
    const value = readU64be(this.#bytes, this.#skip(8))
    if (value === undefined) throw this.#fail()
    return value
  }

  /** A byte of 0 or 1. */
  flag(): boolean {
    const value = this.u8()
    if (value > 1) throw this.#fail()
    return value === 1
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Uint8Array {
    return this.#take(length)
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#offset)
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw this.#fail()
  }

  #take(length: number): Uint8Array {
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Where the next `length` bytes begin, which are read then. */
  #skip(length: number): number {
    const start = this.#offset
    if (length > this.#bytes.length - start) throw this.#fail()
    this.#offset = start + length
    return start
  }
}
