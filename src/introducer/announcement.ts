/**
 * Announcements: what a node says of itself, under its own signature, so that an introducer may
 * leave one out or hold it back but not make one up (docs/specs/introducer.md, "Announcement").
 */
import { concat, utf8 } from '../base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts'
import {
  publicKeyBytes,
  publicKeyOfSeed,
  signatureBytes,
  signMessage,
  verifySignature,
} from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'

/** What a node tells of itself; nobody has checked any of it. */
export interface NodeFacts {
  /** Fit to be shown, at most 64 characters; may be empty, as all texts here. */
  nickname: string
  /** Nodes of one label are expected to fail together. */
  failureDomain: string
  /** Bytes it would still take. */
  freeBytes: number
  /** Takes no new shares. */
  readOnly: boolean
  /** How long it keeps what was released. */
  quarantineDays: number
  /** Suites of formats, each 1 … 255, at most 16. */
  suites: readonly number[]
  /** Version of its software. */
  software: string
}

/** What a node signs, but for its key. */
export interface Statement {
  gridName: string
  /** Multiaddrs without /p2p, at most 16 of at most 256 characters, most likely first. */
  addresses: readonly string[]
  /** 1 … 2^53-1; of two announcements of one node the one with the greater counts. */
  seq: number
  /** Wall time. */
  expiresAtMs: number
  facts: NodeFacts
  /** What shows that the node is a member, 1 … 256 bytes; nobody has looked into it. */
  certificate?: Uint8Array
}

/** An announcement whose signature has been verified. */
export interface Announcement extends Statement {
  /** Peer id of the key that signed. */
  readonly nodeId: string
  /** As signed and sent: signature ‖ payload. */
  readonly bytes: Uint8Array
}

export const maxAnnouncementBytes = 4096
export const maxAddresses = 16
const maxCertificateBytes = 256
/** Without and with a certificate. Version 1 has been there first, and older nodes read no other. */
const payloadVersions = [1, 2] as const
const context = utf8('grid/v1/announce')
const limits = { depth: 3, items: 64, bytes: maxAnnouncementBytes - signatureBytes }

/** Visible in a terminal, and without a way to pass for something else there. */
const label = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,64}$/u
const address = /^\/[\x21-\x7e]{1,255}$/

/** Signs `statement` with the key of `seed` (32 bytes). Throws a RangeError for a field out of bounds. */
export function signAnnouncement(statement: Statement, seed: Uint8Array): Announcement {
  const publicKey = publicKeyOfSeed(seed)
  const values = toPayload(statement, publicKey)
  const payload = fromPayload(values) === undefined ? undefined : encodeCbor(values)
  if (payload === undefined || payload.length > limits.bytes) {
    throw new RangeError('announcement: a field is out of bounds')
  }
  const bytes = concat(signMessage(seed, concat(context, payload)), payload)
  return { ...statement, nodeId: peerIdOf(publicKey), bytes }
}

/** Reads and verifies one announcement; `bytes` are kept. Throws E_ANNOUNCEMENT. Does not look at the time. */
export function readAnnouncement(bytes: Uint8Array): Announcement {
  if (bytes.length > maxAnnouncementBytes) throw malformed('too long')
  const payload = bytes.subarray(signatureBytes)
  const read = fromPayload(decode(payload))
  if (read === undefined) throw malformed('a field of the wrong kind or out of bounds')
  const { publicKey, ...statement } = read
  if (!verifySignature(publicKey, concat(context, payload), bytes.subarray(0, signatureBytes))) {
    throw malformed('the signature is not that of its key')
  }
  return { ...statement, nodeId: peerIdOf(publicKey), bytes }
}

function toPayload(statement: Statement, publicKey: Uint8Array): CborValue {
  const { gridName, addresses, seq, expiresAtMs, facts, certificate } = statement
  const [plain, certified] = payloadVersions
  return [
    certificate === undefined ? plain : certified,
    gridName,
    publicKey,
    [...addresses],
    seq,
    expiresAtMs,
    [
      facts.nickname,
      facts.failureDomain,
      facts.freeBytes,
      facts.readOnly ? 1 : 0,
      facts.quarantineDays,
      [...facts.suites],
      facts.software,
    ],
    ...(certificate === undefined ? [] : [certificate]),
  ]
}

/** The inverse of `toPayload`, or undefined for what no node may sign. */
function fromPayload(payload: CborValue): (Statement & { publicKey: Uint8Array }) | undefined {
  if (!isArray(payload, 7, 8)) return undefined
  const [version, gridName, publicKey, addresses, seq, expiresAtMs, values, certificate] = payload
  const facts = toFacts(values)
  if (version !== payloadVersions[payload.length - 7]) return undefined
  if (!isLabel(gridName) || facts === undefined) return undefined
  if (!(publicKey instanceof Uint8Array) || publicKey.length !== publicKeyBytes) return undefined
  if (!isArray(addresses, 0, maxAddresses) || !addresses.every(isAddress)) return undefined
  if (!isInteger(seq, 1) || !isInteger(expiresAtMs, 1)) return undefined
  const statement = { gridName, publicKey, addresses, seq, expiresAtMs, facts }
  if (payload.length === 7) return statement
  return isCertificate(certificate) ? { ...statement, certificate } : undefined
}

function toFacts(values: CborValue): NodeFacts | undefined {
  if (!isArray(values, 7, 7)) return undefined
  const [nickname, failureDomain, freeBytes, readOnly, quarantineDays, suites, software] = values
  if (!isLabel(nickname) || !isLabel(failureDomain) || !isLabel(software)) return undefined
  if (!isInteger(freeBytes, 0) || !isInteger(readOnly, 0, 1)) return undefined
  if (!isInteger(quarantineDays, 0, 65_535)) return undefined
  if (!isArray(suites, 0, 16) || !suites.every((suite) => isInteger(suite, 1, 255))) {
    return undefined
  }
  return {
    nickname,
    failureDomain,
    freeBytes,
    readOnly: readOnly === 1,
    quarantineDays,
    suites,
    software,
  }
}

function isArray(value: CborValue, min: number, max: number): value is readonly CborValue[] {
  return Array.isArray(value) && value.length >= min && value.length <= max
}

function isInteger(
  value: CborValue,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

function isLabel(value: CborValue): value is string {
  return typeof value === 'string' && label.test(value)
}

function isCertificate(value: CborValue): value is Uint8Array {
  return value instanceof Uint8Array && value.length > 0 && value.length <= maxCertificateBytes
}

function isAddress(value: CborValue): value is string {
  return typeof value === 'string' && address.test(value)
}

function decode(payload: Uint8Array): CborValue {
  try {
    return decodeCbor(payload, limits)
  } catch (error) {
    throw malformed('not canonical CBOR', error)
  }
}

function malformed(why: string, cause?: unknown): GridError {
  return new GridError('E_ANNOUNCEMENT', `malformed announcement: ${why}`, { cause })
}
