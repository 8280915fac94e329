/**
 * The kinds of field that caps are made of (docs/specs/caps.md, "Fields"). Each is declared once,
 * as a composition of inverse coders, and yields its text form and its compact form both ways.
 */
import { fromBase32, toBase32 } from '../base/base32.ts'
import { concat, readU64be, u64be } from '../base/bytes.ts'
import { wrongField } from './refusal.ts'

/** Two inverse functions. */
export interface Coder<A, B> {
  /** Throws a RangeError for a value that has no such form. */
  encode(value: A): B
  /** Throws E_CAP_FIELD for a form that `encode` never makes. */
  decode(form: B): A
}

export interface Field<T> {
  /** What errors call it. */
  readonly label: string
  /** Bytes in the compact form; undefined: all that are left, so the last field only. */
  readonly width: number | undefined
  readonly text: Coder<T, string>
  readonly compact: Coder<T, Uint8Array>
}

const keyBytes = 32

/** A key, a root or an id: 32 bytes. */
export function key(label: string): Field<Uint8Array> {
  const exact = checked<Uint8Array>(label, '32 bytes', (bytes) => bytes.length === keyBytes)
  return { label, width: keyBytes, text: pipe(exact, base32(label)), compact: exact }
}

/** A key or nothing: nothing is the empty text, and in the compact form zeros, which are no key. */
export function optionalKey(label: string): Field<Uint8Array | undefined> {
  const { text } = key(label)
  const present = checked<Uint8Array>(label, 'bytes that are not all zero', (bytes) =>
    bytes.some((byte) => byte !== 0),
  )
  const presentText = pipe(present, text)
  const none = new Uint8Array(keyBytes)
  return {
    label,
    width: keyBytes,
    text: {
      encode: (bytes) => (bytes === undefined ? '' : presentText.encode(bytes)),
      decode: (form) => (form === '' ? undefined : presentText.decode(form)),
    },
    compact: {
      encode: (bytes) => (bytes === undefined ? none.slice() : present.encode(bytes)),
      decode: (form) => (form.every((byte) => byte === 0) ? undefined : form),
    },
  }
}

/** At most `maxBytes` bytes, which in the compact form reach to the end. */
export function literal(label: string, maxBytes: number): Field<Uint8Array> {
  const bounded = checked<Uint8Array>(
    label,
    `at most ${maxBytes} bytes`,
    (bytes) => bytes.length <= maxBytes,
  )
  return { label, width: undefined, text: pipe(bounded, base32(label)), compact: bounded }
}

/** An integer of `min` … `max`: decimal without leading zeros, or big-endian in 1 or 8 bytes. */
export function integer(label: string, min: number, max: number, width: 1 | 8): Field<number> {
  const range = checked<number>(
    label,
    `an integer of ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && value >= min && value <= max,
  )
  return {
    label,
    width,
    text: pipe(range, decimal(label)),
    compact: pipe(range, bigEndian(label, width)),
  }
}

function pipe<A, B, C>(outer: Coder<A, B>, inner: Coder<B, C>): Coder<A, C> {
  return {
    encode: (value) => inner.encode(outer.encode(value)),
    decode: (form) => outer.decode(inner.decode(form)),
  }
}

/** The identity on the values that `accepts` likes. */
function checked<T>(label: string, expected: string, accepts: (value: T) => boolean): Coder<T, T> {
  return {
    encode(value) {
      if (!accepts(value)) throw new RangeError(`${label}: expected ${expected}`)
      return value
    },
    decode(value) {
      if (!accepts(value)) throw wrongField(label, expected)
      return value
    },
  }
}

function base32(label: string): Coder<Uint8Array, string> {
  return {
    encode: toBase32,
    decode(text) {
      const bytes = fromBase32(text)
      if (bytes === undefined) throw wrongField(label, 'base32 with no bits left over')
      return bytes
    },
  }
}

function decimal(label: string): Coder<number, string> {
  return {
    encode: String,
    decode(text) {
      if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) {
        throw wrongField(label, 'decimal digits without leading zeros')
      }
      return Number(text)
    },
  }
}

function bigEndian(label: string, width: 1 | 8): Coder<number, Uint8Array> {
  return {
    encode: (value) => u64be(value).subarray(8 - width),
    decode(bytes) {
      const value = readU64be(concat(new Uint8Array(8 - width), bytes), 0)
      if (value === undefined) throw wrongField(label, 'at most 2^53-1')
      return value
    },
  }
}
