/**
 * The shapes that records of the log are made of: a decoder asks for what it expects, and whatever
 * else stands there is refused with the record's own error code.
 */
import { compareBytes } from '../base/bytes.ts'
import { type CborLimits, type CborValue, decodeCbor } from '../base/cbor.ts'
import { type ErrorCode, GridError } from '../base/errors.ts'

/** Thrown by the functions below and turned into a GridError by `decodeAs`. */
class Misshapen extends Error {}

/**
 * What `read` makes of the one value in `bytes`. Throws `code`, with `label` in its message, for what
 * is not canonical CBOR within `limits` or not of the shape that `read` asks for.
 */
export function decodeAs<T>(
  code: ErrorCode,
  label: string,
  bytes: Uint8Array,
  limits: CborLimits,
  read: (value: CborValue) => T,
): T {
  return shapedAs(code, label, () => read(decodeCbor(bytes, limits)))
}

/** What `read` gives. Throws `code` for what is not of the shape that it asks for. */
export function shapedAs<T>(code: ErrorCode, label: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Misshapen || (error instanceof GridError && error.code === 'E_CBOR')) {
      throw new GridError(code, `malformed ${label}: ${error.message}`, { cause: error })
    }
    throw error
  }
}

export function arrayOf(value: CborValue, min: number, max: number): readonly CborValue[] {
  if (Array.isArray(value) && value.length >= min && value.length <= max) {
    return value as readonly CborValue[]
  }
  throw new Misshapen(`expected an array of ${min} to ${max}`)
}

export function bytesOf(value: CborValue, min: number, max: number = min): Uint8Array {
  if (value instanceof Uint8Array && value.length >= min && value.length <= max) return value
  throw new Misshapen(`expected ${min} to ${max} bytes`)
}

export function integerOf(
  value: CborValue,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number
  }
  throw new Misshapen(`expected an integer of ${min} to ${max}`)
}

export function textOf(value: CborValue, maxChars: number): string {
  if (typeof value === 'string' && value.length <= maxChars) return value
  throw new Misshapen(`expected a text of at most ${maxChars} characters`)
}

/** Refuses what `holds` denies. */
export function demand(holds: boolean, why: string): void {
  if (!holds) throw new Misshapen(why)
}

/** Whether each of `keys` is above the one before it, so none stands there twice. */
export function isAscending(keys: readonly Uint8Array[]): boolean {
  return keys.every((key, i) => i === 0 || compareBytes(keys[i - 1], key) < 0)
}

/** Visible in a terminal, and without a way to pass for something else there. */
const label = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,64}$/u

/** A text of at most 64 code points that is fit to be shown. */
export function labelOf(value: CborValue): string {
  if (typeof value === 'string' && label.test(value)) return value
  throw new Misshapen('expected a text of at most 64 visible characters')
}
