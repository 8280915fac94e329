/** Byte strings: joining, comparing, hex, and big-endian integers. All integers of the formats are big-endian. */
import { timingSafeEqual } from 'node:crypto'

/** A new array of all `parts` end to end. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** Equality in time that depends on the lengths only; so it serves secrets too. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Order of unsigned bytes, shorter first when one is a prefix: < 0, 0 or > 0. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Bytes of `utf8(text)`, without making them. */
export function utf8Length(text: string): number {
  return Buffer.byteLength(text)
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Throws a RangeError unless `hex` is an even number of hex digits. */
export function fromHex(hex: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(hex)) throw new RangeError('hex: expected pairs of hex digits')
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function u32be(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

/** `value` is an integer of 0 … 2^53-1. */
export function u64be(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** Throws a RangeError where the integer runs past the end; so do the other readers. */
export function readU16be(bytes: Uint8Array, offset: number): number {
  checkRoom(bytes, offset, 2)
  return (bytes[offset] << 8) | bytes[offset + 1]
}

export function readU32be(bytes: Uint8Array, offset: number): number {
  checkRoom(bytes, offset, 4)
  return (
    ((bytes[offset] << 24) |
      (bytes[offset + 1] << 16) |
      (bytes[offset + 2] << 8) |
      bytes[offset + 3]) >>>
    0
  )
}

/** The u64 at `offset`, or undefined where it exceeds 2^53-1. */
export function readU64be(bytes: Uint8Array, offset: number): number | undefined {
  const value = readU32be(bytes, offset) * 2 ** 32 + readU32be(bytes, offset + 4)
  return Number.isSafeInteger(value) ? value : undefined
}

/** No DataView: making one costs more than the read, and these run once per 32 bytes of a file. */
function checkRoom(bytes: Uint8Array, offset: number, length: number): void {
  if (offset < 0 || offset + length > bytes.length)
    throw new RangeError('integer past the end of the bytes')
}
