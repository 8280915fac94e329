/**
 * The three hash constructions of the formats (docs/specs/encoding.md, "Notation").
 *
 * Bulk hashing goes to node:crypto, ten times the speed of a portable implementation.
 */
import { createHash, createHmac, type Hash, hash } from 'node:crypto'
import { concat, utf8 } from './bytes.ts'

export const hashBytes = 32

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const running = createHash('sha256')
  for (const part of parts) running.update(part)
  return plain(running.digest())
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
  const running = taggedHasher(tag)
  for (const part of parts) running.update(part)
  return plain(running.digest())
}

const blockBytes = 64
/** Messages up to this length are copied behind the padded key, which costs less than an Hmac object. */
const shortBytes = 16 * 1024
const inner = new Uint8Array(blockBytes + shortBytes)
const outer = new Uint8Array(blockBytes + hashBytes)

/** HMAC-SHA-256 of `parts` end to end: 32 bytes. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length <= shortBytes && key.length <= blockBytes) return shortHmac(key, parts)
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return plain(mac.digest())
}

/** RFC 2104: `H(K ⊕ 5c… ‖ H(K ⊕ 36… ‖ parts))`, with the key filled up by zeros. */
function shortHmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  for (let i = 0; i < blockBytes; i++) {
    const byte = i < key.length ? key[i] : 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  let end = blockBytes
  for (const part of parts) {
    inner.set(part, end)
    end += part.length
  }
  outer.set(hash('sha256', inner.subarray(0, end), 'buffer'), blockBytes)
  inner.fill(0, 0, blockBytes)
  const mac = plain(hash('sha256', outer, 'buffer'))
  outer.fill(0)
  return mac
}

/**
 * `XP(key, label, length)`: HKDF-Expand of RFC 5869 §2.3 with SHA-256 and info "grid/v1/" + label.
 * There is no Extract step, since `key` is always uniform already. `length` ≤ 8,160 bytes.
 */
export function expand(key: Uint8Array, label: string, length = 32): Uint8Array {
  const blocks = Math.ceil(length / hashBytes)
  if (blocks > 255) throw new RangeError(`expand: length ${length} is above 8160`)
  const info = infoOf(label)
  if (blocks === 1) return hmac(key, info, Uint8Array.of(1)).subarray(0, length)
  const out: Uint8Array[] = []
  let last: Uint8Array = new Uint8Array(0)
  for (let counter = 1; counter <= blocks; counter++) {
    last = hmac(key, last, info, Uint8Array.of(counter))
    out.push(last)
  }
  return concat(...out).subarray(0, length)
}

const infos = new Map<string, Uint8Array>()

function infoOf(label: string): Uint8Array {
  const known = infos.get(label)
  if (known !== undefined) return known
  const info = utf8(`grid/v1/${label}`)
  // some labels end in a number; what is kept must not grow with them
  if (infos.size < 64) infos.set(label, info)
  return info
}

/** A Buffer's bytes as what signatures promise: its `slice` and its comparisons are another's. */
function plain(digest: Buffer): Uint8Array {
  return new Uint8Array(digest)
}
