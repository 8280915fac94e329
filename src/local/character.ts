/** Characters of names that may or may not be UTF-8. */
import { isUtf8 } from 'node:buffer'

/** Bytes of the UTF-8 character at `at`, 1 … 4, or 0 where there is none. */
export function characterLengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first < 0x80) return 1
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  return isUtf8(bytes.subarray(at, at + length)) && first >= 0xc0 ? length : 0
}

/** Its code point; a byte that begins none has a number above all code points. */
export function characterAt(bytes: Uint8Array, at: number): number {
  const length = characterLengthAt(bytes, at)
  if (length === 0) return 0x110000 + bytes[at]
  return Buffer.from(bytes.subarray(at, at + length))
    .toString('utf8')
    .codePointAt(0)!
}
