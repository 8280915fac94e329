/**
 * Certificates: what the admin of a log lets a key do (docs/specs/certificates.md). They stand in
 * the admin chain, and each is signed by itself too, so that it can be shown alone.
 */
import { concat, utf8 } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes, signatureBytes, signMessage, verifySignature } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes } from '../base/hash.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf, labelOf } from './shape.ts'

/** Closed verbs, a bit each. Append-only; a certificate with an unknown bit is refused. */
export const rights = {
  /** Add snapshots to its own chain. */
  append: 1,
  /** Store shares and hold them. */
  put: 2,
  /** Sign releases. */
  release: 4,
  /** Renew holds and leases. */
  renew: 8,
  /** Sign tokens for gated shares (reserved). */
  grant: 16,
} as const

export type Right = keyof typeof rights

/** What one server takes from one key. */
export interface RateLimits {
  /** Bytes of entries, and of shares, in 30 days. */
  bytesPer30Days: number
  entriesPerDay: number
}

export interface Certificate {
  logId: Uint8Array
  /** Ed25519 public key of whom it is for, 32 bytes. */
  subject: Uint8Array
  /** Sum of bits of `rights`, 1 … 31. */
  rightBits: number
  limits: RateLimits
  /** Name of the device, fit to be shown, at most 64 characters. */
  label: string
  /** Ascending in the admin chain. */
  serial: number
}

export const maxCertificateBytes = 1024
const allRights = 31
const context = utf8('grid/v1/cert')
const limits = { depth: 2, items: 10, bytes: maxCertificateBytes - signatureBytes }

/** signature ‖ statement. Throws a RangeError for a field out of bounds. */
export function signCertificate(certificate: Certificate, adminSignSeed: Uint8Array): Uint8Array {
  const { logId, subject, rightBits, label, serial } = certificate
  const { bytesPer30Days, entriesPerDay } = certificate.limits
  const bounds = [bytesPer30Days, entriesPerDay]
  const statement = encodeCbor([1, logId, subject, rightBits, bounds, label, serial])
  try {
    decodeAs('E_CERTIFICATE', 'certificate', statement, limits, decodeStatement)
  } catch (error) {
    throw new RangeError('certificate: a field is out of bounds', { cause: error })
  }
  return concat(signMessage(adminSignSeed, concat(context, statement)), statement)
}

/** Reads and verifies a certificate of `logId`, whose admin key is given. Throws E_CERTIFICATE. */
export function readCertificate(
  bytes: Uint8Array,
  logId: Uint8Array,
  adminKey: Uint8Array,
): Certificate {
  if (bytes.length > maxCertificateBytes) throw refused('too long')
  const statement = bytes.subarray(signatureBytes)
  const certificate = decodeAs('E_CERTIFICATE', 'certificate', statement, limits, decodeStatement)
  if (certificate.logId.some((byte, i) => byte !== logId[i])) throw refused('of another log')
  const signature = bytes.subarray(0, signatureBytes)
  if (!verifySignature(adminKey, concat(context, statement), signature)) {
    throw refused("not the admin's signature")
  }
  return certificate
}

export function hasRight({ rightBits }: Certificate, right: Right): boolean {
  return (rightBits & rights[right]) !== 0
}

function decodeStatement(value: CborValue): Certificate {
  const [version, logId, subject, rightBits, bounds, label, serial] = arrayOf(value, 7, 7)
  demand(version === 1, 'another version')
  const [bytesPer30Days, entriesPerDay] = arrayOf(bounds, 2, 2)
  return {
    logId: bytesOf(logId, hashBytes),
    subject: bytesOf(subject, publicKeyBytes),
    rightBits: integerOf(rightBits, 1, allRights),
    limits: {
      bytesPer30Days: integerOf(bytesPer30Days, 0),
      entriesPerDay: integerOf(entriesPerDay, 0),
    },
    label: labelOf(label),
    serial: integerOf(serial, 1),
  }
}

function refused(why: string): GridError {
  return new GridError('E_CERTIFICATE', `malformed certificate: ${why}`)
}
