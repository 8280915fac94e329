/**
 * The three hash constructions of the formats (docs/specs/encoding.md, "Notation").
 *
 * Bulk hashing goes to node:crypto, ten times the speed of a portable implementation.
 */
import { createHash, createHmac, type Hash } from 'node:crypto'
import { concat, utf8 } from './bytes.ts'

export const hashBytes = 32

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return plain(hash.digest())
}

const states = new Map<string, Hash>()

/**
 * A running SHA-256 that has taken in the prefix `t ‖ t`, t = SHA-256("grid/v1/" + tag): the
 * prefix fills one block, so a state made once per tag makes it free (as BIP-340 does).
 */
export function taggedHasher(tag: string): Hash {
  let state = states.get(tag)
  if (state === undefined) {
    const t = sha256(utf8(`grid/v1/${tag}`))
    state = createHash('sha256').update(t).update(t)
    states.set(tag, state)
  }
  return state.copy()
}

/** `TH(tag, parts…)`: 32 bytes. For public data; domains are separated by the tag. */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = taggedHasher(tag)
  for (const part of parts) hash.update(part)
  return plain(hash.digest())
}

/** HMAC-SHA-256 of `parts` end to end: 32 bytes. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return plain(mac.digest())
}

/**
 * `XP(key, label, length)`: HKDF-Expand of RFC 5869 §2.3 with SHA-256 and info "grid/v1/" + label.
 * There is no Extract step, since `key` is always uniform already. `length` ≤ 8,160 bytes.
 */
export function expand(key: Uint8Array, label: string, length = 32): Uint8Array {
  const blocks = Math.ceil(length / hashBytes)
  if (blocks > 255) throw new RangeError(`expand: length ${length} is above 8160`)
  const info = utf8(`grid/v1/${label}`)
  const out: Uint8Array[] = []
  let last: Uint8Array = new Uint8Array(0)
  for (let counter = 1; counter <= blocks; counter++) {
    last = hmac(key, last, info, Uint8Array.of(counter))
    out.push(last)
  }
  return concat(...out).subarray(0, length)
}

/** A Buffer's bytes as what signatures promise: its `slice` and its comparisons are another's. */
function plain(digest: Buffer): Uint8Array {
  return new Uint8Array(digest)
}
