/**
 * Bodies that only readers and verifiers open, each their own half, and the author neither
 * (docs/specs/log.md, "Seal"). A half is bound to its place in the chain and padded.
 */
import { concat, readU32be, u32be, utf8 } from '../base/bytes.ts'
import { encodeCbor } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { taggedHash } from '../base/hash.ts'
import type { Random } from '../base/random.ts'
import { logKemSeedOf, tags } from '../caps/keys.ts'
import { type EntryHeader, maxBodyBytesOf, placeOf } from './entry.ts'
import { openWith, type SealContext, sealTo } from './hpke.ts'
import { arrayOf, bytesOf, decodeAs } from './shape.ts'

export type SealRole = 'reader' | 'verifier'

/** A header but for what the body decides. */
export type EntryPlace = Omit<EntryHeader, 'bodyHash' | 'bodyBytes'>

const padBytes = 512
const maxBytes = maxBodyBytesOf('snapshot')
const limits = { depth: 1, items: 3, bytes: maxBytes }

/**
 * The body that says `forReader` and `forVerifier` to the holders of those X-Wing keys.
 *
 * @throws RangeError if the two together are longer than a body may be
 */
export function sealBody(
  place: EntryPlace,
  keys: Record<SealRole, Uint8Array>,
  plaintexts: Record<SealRole, Uint8Array>,
  random: Random,
): Uint8Array {
  const seal = (role: SealRole): Uint8Array =>
    sealTo(keys[role], sealContextOf(place, role), pad(plaintexts[role]), random)
  const body = encodeCbor([seal('reader'), seal('verifier')])
  if (body.length > maxBytes) throw new RangeError(`log entry: a body of ${body.length} bytes`)
  return body
}

/**
 * What `body` says to `role`, whose read or verify seed is given. The body must be the one of its
 * header. Throws E_SEAL or E_ENTRY.
 */
export function openBody(
  place: EntryPlace,
  role: SealRole,
  roleSeed: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const halves = decodeAs('E_ENTRY', 'sealed body', body, limits, (value) =>
    arrayOf(value, 2, 2).map((half) => bytesOf(half, 0, maxBytes)),
  )
  const half = halves[role === 'reader' ? 0 : 1]
  return unpad(openWith(logKemSeedOf(roleSeed), sealContextOf(place, role), half))
}

/** What a half is bound to: its role and log by info, its place in the chain by associated data. */
export function sealContextOf(place: EntryPlace, role: SealRole): SealContext {
  return {
    info: concat(utf8(`grid/v1/seal${role}`), place.logId),
    aad: taggedHash(tags.sealAad, encodeCbor(placeOf(place))),
  }
}

function pad(plaintext: Uint8Array): Uint8Array {
  const length = Math.ceil((4 + plaintext.length) / padBytes) * padBytes
  const padded = new Uint8Array(length)
  padded.set(u32be(plaintext.length))
  padded.set(plaintext, 4)
  return padded
}

function unpad(padded: Uint8Array): Uint8Array {
  const length = padded.length < 4 ? -1 : readU32be(padded, 0)
  const end = 4 + length
  const isSound =
    length >= 0 && end <= padded.length && padded.subarray(end).every((byte) => byte === 0)
  if (!isSound || padded.length % padBytes !== 0) {
    throw new GridError('E_ENTRY', 'malformed sealed body: padding')
  }
  return padded.slice(4, end)
}
