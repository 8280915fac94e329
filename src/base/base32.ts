/** Base32 of RFC 4648 §6, lower case, without padding; decoding takes either case. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const values = new Map<string, number>()
for (let value = 0; value < alphabet.length; value++) {
  const letter = alphabet.charAt(value)
  values.set(letter, value)
  values.set(letter.toUpperCase(), value)
}

/** Characters that `byteLength` bytes encode to. */
export function base32Length(byteLength: number): number {
  return Math.ceil((byteLength * 8) / 5)
}

export function toBase32(bytes: Uint8Array): string {
  let out = ''
  let bits = 0
  let pending = 0
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      out += alphabet[(pending >>> bits) & 31]
    }
  }
  if (bits > 0) out += alphabet[(pending << (5 - bits)) & 31]
  return out
}

/**
 * The bytes of `text`, or undefined where it holds another character, has a length that no byte
 * string encodes to, or pad bits that are not zero: each byte string has exactly one encoding.
 */
export function fromBase32(text: string): Uint8Array | undefined {
  const length = Math.floor((text.length * 5) / 8)
  if (base32Length(length) !== text.length) return undefined
  const out = new Uint8Array(length)
  let bits = 0
  let pending = 0
  let at = 0
  for (const letter of text) {
    const value = values.get(letter)
    if (value === undefined) return undefined
    pending = ((pending << 5) | value) & 0xffff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      out[at++] = (pending >>> bits) & 0xff
    }
  }
  return (pending & ((1 << bits) - 1)) === 0 ? out : undefined
}
