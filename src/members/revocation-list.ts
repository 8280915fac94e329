/**
 * Which member certificates are revoked, signed by the grid key, so that anybody may carry it
 * (docs/specs/membership.md, "Revocation list").
 */
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import {
  publicKeyBytes,
  publicKeyOfSeed,
  signatureBytes,
  signMessage,
  verifySignature,
} from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf } from '../log/shape.ts'

export interface RevocationList {
  gridId: Uint8Array
  /** 1 … 2^53-1; the greater replaces the smaller. */
  seq: number
  /** Serials of certificates, ascending, at most 4,000. */
  serials: readonly number[]
}

/** Fits the head of a frame. */
export const maxRevocationBytes: number = 40 * 1024
export const maxRevokedSerials = 4_000
const context = utf8('grid/v1/revoked')
const limits = {
  depth: 2,
  items: maxRevokedSerials + 8,
  bytes: maxRevocationBytes - signatureBytes,
}
const label = 'revocation list'

/** signature ‖ statement. Throws a RangeError for serials that are not ascending, or too many. */
export function signRevocationList(
  list: Omit<RevocationList, 'gridId'>,
  gridSeed: Uint8Array,
): Uint8Array {
  const statement = encodeCbor([1, publicKeyOfSeed(gridSeed), list.seq, [...list.serials]])
  try {
    decodeAs('E_CERTIFICATE', label, statement, limits, decodeStatement)
  } catch (error) {
    throw new RangeError('revocation list: a field is out of bounds', { cause: error })
  }
  return concat(signMessage(gridSeed, concat(context, statement)), statement)
}

/** Reads and verifies a list of the grid `gridId`. Throws E_CERTIFICATE. */
export function readRevocationList(bytes: Uint8Array, gridId: Uint8Array): RevocationList {
  if (bytes.length > maxRevocationBytes) throw refused('too long')
  const statement = bytes.subarray(signatureBytes)
  const list = decodeAs('E_CERTIFICATE', label, statement, limits, decodeStatement)
  if (!equalBytes(list.gridId, gridId)) throw refused('it is of another grid')
  const signature = bytes.subarray(0, signatureBytes)
  if (!verifySignature(gridId, concat(context, statement), signature)) {
    throw refused("not the grid key's signature")
  }
  return list
}

function decodeStatement(value: CborValue): RevocationList {
  const [version, gridId, seq, list] = arrayOf(value, 4, 4)
  demand(version === 1, 'another version')
  const serials = arrayOf(list, 0, maxRevokedSerials).map((serial) => integerOf(serial, 1))
  demand(
    serials.every((serial, i) => i === 0 || serial > serials[i - 1]),
    'serials that do not ascend',
  )
  return { gridId: bytesOf(gridId, publicKeyBytes), seq: integerOf(seq, 1), serials }
}

function refused(why: string): GridError {
  return new GridError('E_CERTIFICATE', `malformed ${label}: ${why}`)
}
