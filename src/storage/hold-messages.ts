/**
 * Arguments, facts and bodies of the verbs about holds (docs/specs/storage-protocol.md, "Holds"). Those
 * that parse requests check their shape only, and throw E_BAD_REQUEST; those that parse answers throw
 * E_PROTOCOL. A byte string without bytes stands for what is not there.
 */
import { compareBytes, concat } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import { signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { storageIndexBytes } from '../encoding/descriptor.ts'
import { maxCertificateBytes } from '../log/certificate.ts'
import { maxBodyBytesOf, maxHeaderBytes } from '../log/entry.ts'
import { maxGenesisBytes } from '../log/genesis.ts'
import { ByteReader, ByteWriter } from './byte-fields.ts'
import {
  type Account,
  accountTokenBytes,
  type Credentials,
  enterNonceBytes,
  type ListedHold,
  type ListHoldsReply,
  type ListHoldsRequest,
  type ReleaseReply,
  type SignedRelease,
  type TouchOutcome,
} from './hold-peer.ts'
import type { StorageIndex } from './request.ts'

const outcomes = ['absent', 'held', 'readopted'] as const satisfies readonly TouchOutcome[]
const kinds = ['held', 'damaged'] as const satisfies readonly ListHoldsRequest['which'][]
/** Stands for a quota where there is none. */
const noQuota = -1
const listedHoldBytes = storageIndexBytes + 8 + 8
const none = new Uint8Array(0)

/** Longest body of a `release`. */
export const maxReleaseBytes: number =
  3 * 2 +
  maxHeaderBytes +
  maxGenesisBytes +
  maxCertificateBytes +
  signatureBytes +
  maxBodyBytesOf('release')

export interface AccountArguments {
  /** Token; undefined for none. */
  account: Uint8Array | undefined
}

export function parseChallenge(facts: CborValue): Uint8Array {
  if (facts instanceof Uint8Array && facts.length === enterNonceBytes) return facts
  throw malformed('challenge')
}

export function formatCredentials(credentials: Credentials): CborValue {
  const { genesis, certificate = none, key, nonce, signature } = credentials
  return [genesis, certificate, key, nonce, signature]
}

export function parseCredentials(args: CborValue): Credentials {
  const [genesis, certificate, key, nonce, signature] = list(args, 5).map(bytes)
  return { genesis, certificate: optional(certificate), key, nonce, signature }
}

export function formatAccount({ token, usedBytes, quotaBytes, damagedCount }: Account): CborValue {
  return [token, usedBytes, quotaBytes ?? noQuota, damagedCount]
}

export function parseAccount(facts: CborValue): Account {
  if (!Array.isArray(facts) || facts.length !== 4) throw malformed('enter')
  const [token, usedBytes, quotaBytes, damagedCount] = facts as CborValue[]
  const isToken = token instanceof Uint8Array && token.length === accountTokenBytes
  if (!isToken || !isCount(usedBytes) || !isCount(damagedCount)) throw malformed('enter')
  if (quotaBytes === noQuota) return { token, usedBytes, quotaBytes: undefined, damagedCount }
  if (isCount(quotaBytes)) return { token, usedBytes, quotaBytes, damagedCount }
  throw malformed('enter')
}

export function formatTouch(
  indexes: readonly StorageIndex[],
  account: Uint8Array | undefined,
): CborValue {
  return [account ?? none, concat(...indexes)]
}

export function parseTouch(args: CborValue): AccountArguments & { indexes: StorageIndex[] } {
  const [account, indexes] = list(args, 2).map(bytes)
  return { account: optional(account), indexes: unpacked(indexes) }
}

export function formatRenew(indexes: readonly StorageIndex[]): CborValue {
  return [concat(...indexes)]
}

export function parseRenew(args: CborValue): StorageIndex[] {
  const [indexes] = list(args, 1).map(bytes)
  return unpacked(indexes)
}

/** The facts that answer `touch` and `renew`: a byte for each index. */
export function formatTouched(touched: readonly TouchOutcome[]): CborValue {
  return Uint8Array.from(touched, (outcome) => outcomes.indexOf(outcome))
}

export function parseTouched(facts: CborValue, indexCount: number): TouchOutcome[] {
  const isSound = facts instanceof Uint8Array && facts.length === indexCount
  if (!isSound || facts.some((code) => code >= outcomes.length)) throw malformed('touch')
  return [...facts].map((code) => outcomes[code])
}

export function formatListHolds(
  { after = none, limit, which }: ListHoldsRequest,
  account: Uint8Array | undefined,
): CborValue {
  return [account ?? none, after, limit, kinds.indexOf(which)]
}

export function parseListHolds(args: CborValue): AccountArguments & { request: ListHoldsRequest } {
  const [account, after, limit, kind] = list(args, 4)
  const which = typeof kind === 'number' ? kinds[kind] : undefined
  if (typeof limit !== 'number' || which === undefined) throw badRequest()
  const request = { after: optional(bytes(after)), limit, which }
  return { account: optional(bytes(account)), request }
}

/** Longest body that answers a `listHolds`. */
export function listedBytes(limit: number): number {
  return limit * listedHoldBytes
}

/** The body that answers `listHolds`; its facts are 1 if it is complete. */
export function formatListed(holds: readonly ListedHold[]): Uint8Array {
  const out = new ByteWriter()
  for (const { storageIndex, touchedMs, chargedBytes } of holds) {
    out.raw(storageIndex)
    out.u64(touchedMs)
    out.u64(chargedBytes)
  }
  return out.bytes()
}

/** Ascending, after what was asked for, and with progress. */
export function parseListed(
  facts: CborValue,
  body: Uint8Array,
  { after, limit }: ListHoldsRequest,
): ListHoldsReply {
  const count = body.length / listedHoldBytes
  if ((facts !== 0 && facts !== 1) || !Number.isInteger(count) || count > limit) {
    throw malformed('listHolds')
  }
  if (facts === 0 && count === 0) throw malformed('listHolds')
  const input = new ByteReader(body, () => malformed('listHolds'))
  const holds: ListedHold[] = []
  let last = after
  while (holds.length < count) {
    const storageIndex = input.raw(storageIndexBytes)
    if (last !== undefined && compareBytes(last, storageIndex) >= 0) throw malformed('listHolds')
    last = storageIndex
    holds.push({ storageIndex, touchedMs: input.u64(), chargedBytes: input.u64() })
  }
  return { holds, complete: facts === 1 }
}

/** The body of `release`; it has no arguments. */
export function formatReleaseBody(release: SignedRelease): Uint8Array {
  const { header, signature, genesis, certificate = none, body } = release
  const out = new ByteWriter()
  for (const part of [header, genesis, certificate]) {
    out.u16(part.length)
    out.raw(part)
  }
  out.raw(signature)
  out.raw(body)
  return out.bytes()
}

export function parseReleaseBody(bytes: Uint8Array): SignedRelease {
  const input = new ByteReader(bytes, badRequest)
  const [header, genesis, certificate] = [0, 1, 2].map(() => input.raw(input.u16()))
  const signature = input.raw(signatureBytes)
  return { header, genesis, certificate: optional(certificate), signature, body: input.rest() }
}

export function formatReleased({ changed, kept }: ReleaseReply): CborValue {
  return [changed, kept]
}

export function parseReleased(facts: CborValue): ReleaseReply {
  if (!Array.isArray(facts) || facts.length !== 2) throw malformed('release')
  const [changed, kept] = facts as CborValue[]
  if (!isCount(changed) || !isCount(kept)) throw malformed('release')
  return { changed, kept }
}

function unpacked(packed: Uint8Array): StorageIndex[] {
  if (packed.length % storageIndexBytes !== 0) throw badRequest()
  const indexes: StorageIndex[] = []
  for (let at = 0; at < packed.length; at += storageIndexBytes) {
    indexes.push(packed.subarray(at, at + storageIndexBytes))
  }
  return indexes
}

function optional(value: Uint8Array): Uint8Array | undefined {
  return value.length === 0 ? undefined : value
}

function list(value: CborValue, length: number): CborValue[] {
  if (!Array.isArray(value) || value.length !== length) throw badRequest()
  return value as CborValue[]
}

function bytes(value: CborValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw badRequest()
}

function isCount(value: CborValue): value is number {
  return typeof value === 'number' && value >= 0
}

function badRequest(): GridError {
  return new GridError('E_BAD_REQUEST', 'arguments that are not of the form the verb takes')
}

function malformed(verb: string): GridError {
  return new GridError('E_PROTOCOL', `the answer to ${verb} is malformed`)
}
