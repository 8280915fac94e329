/**
 * Entries of a log: a header that is signed and hashed, and a body that it names by hash
 * (docs/specs/log.md, "Entry"). A chain still verifies when bodies have been dropped.
 *
 * Signatures and ids are over the bytes that were received, and parsing is total: bytes are either
 * the one encoding of a header within bounds, or refused with E_ENTRY.
 */
import { compareBytes, concat, utf8 } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes, signatureBytes, signMessage, verifySignature } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes, taggedHash } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf, isAscending } from './shape.ts'

/** What an entry is about; only a snapshot's body is sealed. Append-only. */
export const entryKinds = {
  snapshot: 1,
  certificate: 2,
  revocation: 3,
  config: 4,
  release: 5,
  checkpoint: 6,
} as const

export type EntryKind = keyof typeof entryKinds

export const maxHeaderBytes = 4096
export const maxAcks = 64
/** Bytes of an author's key that an ack gives. */
export const ackKeyBytes = 8
const maxSmallBodyBytes = 64 * 1024
const maxReleaseBodyBytes = 1024 * 1024

/** No body is longer. */
export const maxBodyBytes: number = maxReleaseBodyBytes

/** The head of another chain, as the author of an entry saw it. */
export interface Ack {
  /** First 8 bytes of that chain's author key. */
  authorPrefix: Uint8Array
  /** ≥ 1. */
  seq: number
  /** 32 bytes. */
  id: Uint8Array
}

export interface EntryHeader {
  /** 32 bytes, as all keys, ids and hashes here. */
  logId: Uint8Array
  /** Ed25519 public key of the chain. */
  author: Uint8Array
  /** From 1. */
  seq: number
  /** Id of the entry before; the log id where seq is 1. */
  prev: Uint8Array
  /** Id of the entry whose seq is this one's with its lowest set bit cleared; the log id for 0. */
  skip: Uint8Array
  /** Ascending by author, at most 64, none twice. */
  acks: readonly Ack[]
  /** Wall time of the author: for display only. */
  clientMs: number
  kind: EntryKind
  bodyHash: Uint8Array
  bodyBytes: number
}

/** A header as it travels; nothing is checked yet. */
export interface SignedHeader {
  /** As signed. */
  readonly header: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** An entry as it travels; nothing is checked yet. */
export interface LogEntry extends SignedHeader {
  /** Undefined where it was not asked for, or has been dropped. */
  readonly body: Uint8Array | undefined
}

/** A header that has been read, with the id that its bytes have. */
export interface ReadHeader extends SignedHeader {
  readonly fields: EntryHeader
  readonly id: Uint8Array
}

const formatVersion = 1
const suite = 1
const context = utf8('grid/v1/log-entry')
const limits = { depth: 3, items: 13 + 4 * maxAcks, bytes: maxHeaderBytes }
const kindNames = new Map<CborValue, EntryKind>(
  Object.entries(entryKinds).map(([name, number]) => [number, name as EntryKind]),
)

export function isAuthorOf(header: EntryHeader, ack: Ack): boolean {
  return compareBytes(header.author.subarray(0, ackKeyBytes), ack.authorPrefix) === 0
}

/** The most bytes that a body of `kind` may have. */
export function maxBodyBytesOf(kind: EntryKind): number {
  return kind === 'release' ? maxReleaseBodyBytes : maxSmallBodyBytes
}

/** The seq that `skip` of entry `seq` leads to: its lowest set bit cleared. */
export function skipOf(seq: number): number {
  let bit = 1
  while (Math.floor(seq / bit) % 2 === 0) bit *= 2
  return seq - bit
}

/** What names an entry, 32 bytes. */
export function entryIdOf(header: Uint8Array): Uint8Array {
  return taggedHash(tags.logEntry, header)
}

export function bodyHashOf(body: Uint8Array): Uint8Array {
  return taggedHash(tags.logBody, body)
}

/** The first ten fields: what a body is bound to (docs/specs/log.md, "Seal"). */
export function placeOf(header: Omit<EntryHeader, 'bodyHash' | 'bodyBytes'>): CborValue[] {
  return [
    formatVersion,
    suite,
    header.logId,
    header.author,
    header.seq,
    header.prev,
    header.skip,
    header.acks.map(({ authorPrefix, seq, id }) => [authorPrefix, seq, id]),
    header.clientMs,
    entryKinds[header.kind],
  ]
}

/** The bytes of `header`. Throws a RangeError for a field out of bounds. */
export function formatHeader(header: EntryHeader): Uint8Array {
  const bytes = encodeCbor([...placeOf(header), header.bodyHash, header.bodyBytes])
  try {
    readFields(bytes)
  } catch (error) {
    throw new RangeError('log entry: a field is out of bounds', { cause: error })
  }
  return bytes
}

/** Reads a header; its signature is not looked at. `signed` is kept. Throws E_ENTRY. */
export function readHeader(signed: SignedHeader): ReadHeader {
  const { header, signature } = signed
  if (signature.length !== signatureBytes) throw malformed('a signature has 64 bytes')
  const fields = readFields(header)
  return { header, signature, fields, id: entryIdOf(header) }
}

/** Signs `header` with the key of `seed`, which must be the author's. */
export function signHeader(header: Uint8Array, seed: Uint8Array): Uint8Array {
  return signMessage(seed, concat(context, header))
}

/** Whether the author signed these very bytes. */
export function isSigned({ header, signature, fields }: ReadHeader): boolean {
  return verifySignature(fields.author, concat(context, header), signature)
}

/** Whether `body` is the one that the header names. */
export function isBodyOf(fields: EntryHeader, body: Uint8Array): boolean {
  return body.length === fields.bodyBytes && compareBytes(bodyHashOf(body), fields.bodyHash) === 0
}

/** Throws E_ENTRY unless `body` is the one that the header names. */
export function checkBody(fields: EntryHeader, body: Uint8Array): void {
  if (!isBodyOf(fields, body)) throw malformed('the body is not the one that its header names')
}

function readFields(bytes: Uint8Array): EntryHeader {
  return decodeAs('E_ENTRY', 'log entry', bytes, limits, decodeFields)
}

function decodeFields(value: CborValue): EntryHeader {
  const fields = arrayOf(value, 12, 12)
  const [version, suiteNumber, logId, author, seq, prev, skip, acks, clientMs, kind, ...rest] =
    fields
  demand(version === formatVersion, 'another version')
  if (suiteNumber !== suite) throw new GridError('E_VERSION', 'a log entry of an unknown suite')
  const name = kindNames.get(kind)
  if (name === undefined) throw malformed('an unknown kind')
  const header = {
    logId: bytesOf(logId, hashBytes),
    author: bytesOf(author, publicKeyBytes),
    seq: integerOf(seq, 1),
    prev: bytesOf(prev, hashBytes),
    skip: bytesOf(skip, hashBytes),
    acks: arrayOf(acks, 0, maxAcks).map(readAck),
    clientMs: integerOf(clientMs, 0),
    kind: name,
    bodyHash: bytesOf(rest[0], hashBytes),
    bodyBytes: integerOf(rest[1], 0, maxBodyBytesOf(name)),
  }
  demand(!header.acks.some((ack) => isAuthorOf(header, ack)), 'it acknowledges its own chain')
  demand(isAscending(header.acks.map((ack) => ack.authorPrefix)), 'acks out of order')
  return header
}

function readAck(value: CborValue): Ack {
  const [authorPrefix, seq, id] = arrayOf(value, 3, 3)
  return {
    authorPrefix: bytesOf(authorPrefix, ackKeyBytes),
    seq: integerOf(seq, 1),
    id: bytesOf(id, hashBytes),
  }
}

function malformed(why: string): GridError {
  return new GridError('E_ENTRY', `malformed log entry: ${why}`)
}
