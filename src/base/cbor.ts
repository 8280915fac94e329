/**
 * The subset of CBOR (RFC 8949) that everything hashed, signed or sent is written in: unsigned and
 * negative integers, byte strings, texts and arrays; definite lengths, shortest integers. Each
 * value has exactly one encoding, and a decoder that accepts another is a bug.
 *
 * cbor-x does the encoding. Decoders in packages are not strict (they take longer integers, tags,
 * bad UTF-8), and what is needed to make one strict is a decoder: so here is one, in one pass.
 */
import { Encoder } from 'cbor-x'
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

const encoder = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false })
const texts = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** The least argument that needs 1, 2, 4 and 8 bytes behind the first. */
const leastOfWidth = [24, 2 ** 8, 2 ** 16, 2 ** 32]

/** The one encoding of `value`; integers must be safe ones. The result is the caller's. */
export function encodeCbor(value: CborValue): Uint8Array {
  return new Uint8Array(encoder.encode(toCoder(value)) as Uint8Array)
}

/**
 * Decodes one value that fills `bytes`; byte strings in it are copies. Throws E_CBOR for anything
 * but its one encoding within `limits`.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): CborValue {
  if (bytes.length > limits.bytes) throw malformed(`${bytes.length} bytes, at most ${limits.bytes}`)
  const reader = new Reader(bytes, limits)
  const value = reader.value(0)
  if (reader.at !== bytes.length) throw malformed('bytes after the value')
  return value
}

/** Takes values off the front. What a head announces is compared with what is there before it is made. */
class Reader {
  readonly #bytes: Uint8Array
  readonly #limits: CborLimits
  #items = 0
  /** Where the next value begins. */
  at = 0

  constructor(bytes: Uint8Array, limits: CborLimits) {
    // A Buffer's `slice` is no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#limits = limits
  }

  /** The next value, `depth` arrays deep. */
  value(depth: number): CborValue {
    if (++this.#items > this.#limits.items) throw malformed(`more than ${this.#limits.items} items`)
    const first = this.#bytes[this.at]
    if (first === undefined) throw malformed('cut short')
    const argument = this.#argument(first & 31)
    switch (first >>> 5) {
      case 0:
        return argument
      case 1:
        if (argument === Number.MAX_SAFE_INTEGER) throw malformed('an integer of -2^53')
        return -1 - argument
      case 2:
        return this.#string(argument).slice()
      case 3:
        return textOf(this.#string(argument))
      case 4:
        return this.#array(argument, depth)
      default:
        throw malformed(`major type ${first >>> 5} is not allowed`)
    }
  }

  /** The number that a head gives, in its shortest form; moves behind the head. */
  #argument(info: number): number {
    this.at++
    if (info < 24) return info
    if (info > 27) throw malformed('indefinite or reserved length')
    const end = this.at + (1 << (info - 24))
    if (end > this.#bytes.length) throw malformed('cut short')
    let argument = 0
    while (this.at < end) argument = argument * 256 + this.#bytes[this.at++]
    if (argument < leastOfWidth[info - 24]) throw malformed('not the canonical form')
    if (!Number.isSafeInteger(argument)) throw malformed('an integer above 2^53-1')
    return argument
  }

  #string(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw malformed('a string runs past the end')
    return this.#bytes.subarray(this.at, (this.at += length))
  }

  #array(length: number, depth: number): CborValue {
    if (depth >= this.#limits.depth) throw malformed(`deeper than ${this.#limits.depth}`)
    if (length > this.#bytes.length - this.at) throw malformed('an array runs past the end')
    const values: CborValue[] = []
    for (let i = 0; i < length; i++) values.push(this.value(depth + 1))
    return values
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return texts.decode(bytes)
  } catch (error) {
    throw new GridError('E_CBOR', 'malformed CBOR: a text that is not UTF-8', { cause: error })
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

function malformed(why: string): GridError {
  return new GridError('E_CBOR', `malformed CBOR: ${why}`)
}
