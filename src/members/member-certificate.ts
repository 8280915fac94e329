/**
 * Member certificates: the grid key says that a node is a member, as what, up to how much and until
 * when (docs/specs/membership.md, "Certificate").
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

/** What a member is, a bit each. Append-only; a certificate with an unknown bit is refused. */
export const memberKinds = { server: 1, client: 2 } as const
export type MemberKind = keyof typeof memberKinds

export interface MemberCertificate {
  /** Public half of the grid key, 32 bytes: it names the grid. */
  gridId: Uint8Array
  /** Sum of bits of `memberKinds`, 1 … 3. */
  kindBits: number
  /** Of the node, 32 bytes: what its peer id is made of. */
  publicKey: Uint8Array
  /** Bytes of shares that it may keep at each server; 0 for no bound. */
  quotaBytes: number
  /** Wall time of its end: from then on a client may only read. */
  notAfterMs: number
  /** 1 … 2^53-1; no two certificates of a grid share one, and of two of one member the greater counts. */
  serial: number
}

export const maxMemberCertificateBytes = 256
const allKinds = 3
const context = utf8('grid/v1/member')
const limits = { depth: 1, items: 8, bytes: maxMemberCertificateBytes - signatureBytes }

/** signature ‖ statement, by the grid key of `gridSeed`. Throws a RangeError for a field out of bounds. */
export function signMemberCertificate(
  certificate: Omit<MemberCertificate, 'gridId'>,
  gridSeed: Uint8Array,
): Uint8Array {
  const { kindBits, publicKey, quotaBytes, notAfterMs, serial } = certificate
  const gridId = publicKeyOfSeed(gridSeed)
  const statement = encodeCbor([1, gridId, kindBits, publicKey, quotaBytes, notAfterMs, serial])
  try {
    decodeAs('E_CERTIFICATE', 'certificate', statement, limits, decodeStatement)
  } catch (error) {
    throw new RangeError('member certificate: a field is out of bounds', { cause: error })
  }
  return concat(signMessage(gridSeed, concat(context, statement)), statement)
}

/**
 * Reads and verifies a certificate of the grid `gridId`. Does not look at the time.
 *
 * @throws E_CERTIFICATE for one that is malformed, badly signed, or of another grid
 */
export function readMemberCertificate(bytes: Uint8Array, gridId: Uint8Array): MemberCertificate {
  if (bytes.length > maxMemberCertificateBytes) throw refused('too long')
  const statement = bytes.subarray(signatureBytes)
  const certificate = decodeAs('E_CERTIFICATE', label, statement, limits, decodeStatement)
  if (!equalBytes(certificate.gridId, gridId)) throw refused('it is of another grid')
  const signature = bytes.subarray(0, signatureBytes)
  if (!verifySignature(gridId, concat(context, statement), signature)) {
    throw refused("not the grid key's signature")
  }
  return certificate
}

export function isOfKind({ kindBits }: MemberCertificate, kind: MemberKind): boolean {
  return (kindBits & memberKinds[kind]) !== 0
}

function decodeStatement(value: CborValue): MemberCertificate {
  const [version, gridId, kindBits, publicKey, quotaBytes, notAfterMs, serial] = arrayOf(
    value,
    7,
    7,
  )
  demand(version === 1, 'another version')
  return {
    gridId: bytesOf(gridId, publicKeyBytes),
    kindBits: integerOf(kindBits, 1, allKinds),
    publicKey: bytesOf(publicKey, publicKeyBytes),
    quotaBytes: integerOf(quotaBytes, 0),
    notAfterMs: integerOf(notAfterMs, 1),
    serial: integerOf(serial, 1),
  }
}

const label = 'member certificate'

function refused(why: string): GridError {
  return new GridError('E_CERTIFICATE', `malformed ${label}: ${why}`)
}
