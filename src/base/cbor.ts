/**
 * The subset of CBOR (RFC 8949) that everything hashed, signed or sent is written in: unsigned and
 * negative integers, byte strings, texts and arrays; definite lengths, shortest integers. Each
 * value has exactly one encoding, and a decoder that accepts another is a bug.
 *
 * cbor-x does the coding. It is not strict by itself (it takes longer integers, tags, bad UTF-8),
 * so input is scanned against the subset and its bounds first and re-encoded and compared after.
 */
import { Decoder, Encoder } from 'cbor-x'
import { compareBytes } from './bytes.ts'
import { GridError } from './errors.ts'

export type CborValue = number | string | Uint8Array | readonly CborValue[]

export interface CborLimits {
  /** Arrays inside arrays. */
  depth: number
  /** Values of every kind, arrays counted. */
  items: number
  /** Length of the whole encoding. */
  bytes: number
}

/** Bounds for the heads of wire frames. */
export const wireLimits: CborLimits = { depth: 16, items: 4096, bytes: 64 * 1024 }

const options = { useRecords: false, mapsAsObjects: false, tagUint8Array: false } as const
const encoder = new Encoder(options)
const decoder = new Decoder(options)

/** The one encoding of `value`; integers must be safe ones. The result is the caller's. */
export function encodeCbor(value: CborValue): Uint8Array {
  return new Uint8Array(encoder.encode(toCoder(value)) as Uint8Array)
}

/** Decodes one value that fills `bytes`. Throws E_CBOR for anything but its one encoding within `limits`. */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): CborValue {
  if (bytes.length > limits.bytes) throw malformed(`${bytes.length} bytes, at most ${limits.bytes}`)
  const end = new Scanner(bytes, limits).value(0, 0)
  if (end !== bytes.length) throw malformed('bytes after the value')
  // a view of its own, since the decoder leaves a property on what it is given
  const value = fromCoder(decoder.decode(bytes.subarray()))
  if (compareBytes(encodeCbor(value), bytes) !== 0) throw malformed('not the canonical form')
  return value
}

/** Walks the structure without building it, so that hostile input costs nothing before it is refused. */
class Scanner {
  readonly #bytes: Uint8Array
  readonly #limits: CborLimits
  #items = 0

  constructor(bytes: Uint8Array, limits: CborLimits) {
    this.#bytes = bytes
    this.#limits = limits
  }

  /** Checks the value at `at`, `depth` arrays deep; returns the offset behind it. */
  value(at: number, depth: number): number {
    if (++this.#items > this.#limits.items) throw malformed(`more than ${this.#limits.items} items`)
    const [major, argument, next] = this.#head(at)
    if (major <= 1) return next
    if (major <= 3) {
      if (argument > this.#bytes.length - next) throw malformed('a string runs past the end')
      return next + argument
    }
    if (major > 4) throw malformed(`major type ${major} is not allowed`)
    if (depth >= this.#limits.depth) throw malformed(`deeper than ${this.#limits.depth}`)
    if (argument > this.#bytes.length - next) throw malformed('an array runs past the end')
    let offset = next
    for (let i = 0; i < argument; i++) offset = this.value(offset, depth + 1)
    return offset
  }

  #head(at: number): [major: number, argument: number, next: number] {
    const first = this.#bytes[at]
    if (first === undefined) throw malformed('cut short')
    const major = first >>> 5
    const info = first & 31
    if (info < 24) return [major, info, at + 1]
    if (info > 27) throw malformed('indefinite or reserved length')
    const width = 1 << (info - 24)
    if (at + 1 + width > this.#bytes.length) throw malformed('cut short')
    let argument = 0
    for (let i = 1; i <= width; i++) argument = argument * 256 + this.#bytes[at + i]
    if (!Number.isSafeInteger(argument)) throw malformed('an integer above 2^53-1')
    if (major === 1 && argument === Number.MAX_SAFE_INTEGER) throw malformed('an integer of -2^53')
    return [major, argument, at + 1 + width]
  }
}

/** cbor-x writes a Number of 2^32 or more as a float, and every BigInt in eight bytes: each gets what fits it. */
function toCoder(value: CborValue): unknown {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`cbor: ${value} is not a safe integer`)
    return value >= 2 ** 32 || value < -(2 ** 31) ? wide(value) : value
  }
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  return value.map(toCoder)
}

function wide(value: number): number | bigint {
  return value >= 2 ** 32 || value < -(2 ** 32) ? BigInt(value) : value
}

function fromCoder(value: unknown): CborValue {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' || typeof value === 'string') return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(fromCoder)
  throw malformed('a value of another type')
}

function malformed(why: string): GridError {
  return new GridError('E_CBOR', `malformed CBOR: ${why}`)
}
