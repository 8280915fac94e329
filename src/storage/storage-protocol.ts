/**
 * `/grid/storage/1` (docs/specs/storage-protocol.md): what each verb's arguments, facts and bodies
 * look like. Both ends read and write them by the functions here. Those that parse arguments check
 * their shape only, and throw E_BAD_REQUEST; those that parse answers throw E_PROTOCOL.
 */
import type { CborValue } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { maxShareCount } from '../encoding/descriptor.ts'
import { accountTokenBytes } from './hold-peer.ts'
import type { BlocksRequest, PeerStatus, PutOutcome, StorageIndex } from './peer.ts'
import { isShareNumber } from './share-name.ts'
import type { StorageVerb } from './verbs.ts'

export const storageProtocol = '/grid/storage/1'

/** How long each verb may take, in ms: from the sending of a request to the end of its answer. */
export const verbDeadlineMs: Readonly<Record<StorageVerb | 'member', number>> = {
  have: 30_000,
  putShare: 900_000,
  getBlocks: 900_000,
  prove: 120_000,
  status: 30_000,
  appendEntries: 120_000,
  readLog: 120_000,
  challenge: 30_000,
  enter: 30_000,
  touch: 120_000,
  renew: 120_000,
  listHolds: 30_000,
  release: 120_000,
  member: 30_000,
}

export interface ShareArguments {
  storageIndex: StorageIndex
  shareNumber: number
}

export interface PutArguments extends ShareArguments {
  /** Token of the account that is to hold it; undefined for none. */
  account: Uint8Array | undefined
}

export interface ProveArguments extends ShareArguments {
  nonce: Uint8Array
}

/** Stands for a share number where any share will do. */
const anyShare = -1
/** Longest text of a server's version. */
const maxSoftwareChars = 64
const outcomes = ['stored', 'had'] as const satisfies readonly PutOutcome[]

export function parseHaveArguments(args: CborValue): StorageIndex[] {
  return list(args).map(bytes)
}

/** The token is left out where there is none. */
export function formatPutArguments({
  storageIndex,
  shareNumber,
  account,
}: PutArguments): CborValue {
  return [storageIndex, shareNumber, ...(account === undefined ? [] : [account])]
}

export function parsePutArguments(args: CborValue): PutArguments {
  const fields = list(args)
  if (fields.length !== 2 && fields.length !== 3) throw badRequest()
  const [storageIndex, shareNumber, account] = fields
  return {
    storageIndex: bytes(storageIndex),
    shareNumber: integer(shareNumber),
    account: account === undefined ? undefined : token(account),
  }
}

export function formatBlocksRequest(request: BlocksRequest): CborValue {
  const { storageIndex, shareNumber = anyShare, header } = request
  const { firstSegment, segmentCount, maxBytes } = request
  return [storageIndex, shareNumber, header ? 1 : 0, firstSegment, segmentCount, maxBytes]
}

export function parseBlocksRequest(args: CborValue): BlocksRequest {
  const [storageIndex, shareNumber, header, ...range] = list(args, 6)
  const [firstSegment, segmentCount, maxBytes] = range.map(integer)
  if (header !== 0 && header !== 1) throw badRequest()
  return {
    storageIndex: bytes(storageIndex),
    shareNumber: shareNumber === anyShare ? undefined : integer(shareNumber),
    header: header === 1,
    firstSegment,
    segmentCount,
    maxBytes,
  }
}

export function parseProveArguments(args: CborValue): ProveArguments {
  const [storageIndex, shareNumber, nonce] = list(args, 3)
  return {
    storageIndex: bytes(storageIndex),
    shareNumber: integer(shareNumber),
    nonce: bytes(nonce),
  }
}

export function parseNoArguments(args: CborValue): void {
  list(args, 0)
}

/** Longest answer to a `have` of `indexCount`: a count and all share numbers for each. */
export function haveAnswerBytes(indexCount: number): number {
  return indexCount * (1 + maxShareCount)
}

/** The body that answers `have`: for each index a count, then the share numbers, a byte each. */
export function formatHave(held: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(held.flatMap((numbers) => [numbers.length, ...numbers]))
}

/** What `body` tells of exactly `indexCount` indexes, share numbers ascending. */
export function parseHave(body: Uint8Array, indexCount: number): number[][] {
  const held: number[][] = []
  let offset = 0
  while (held.length < indexCount) {
    const count = body[offset++]
    if (count === undefined || count > body.length - offset) throw malformed('have')
    const numbers = [...body.subarray(offset, (offset += count))]
    const ascending = numbers.every((number, i) => i === 0 || number > numbers[i - 1])
    if (!ascending || !numbers.every(isShareNumber)) throw malformed('have')
    held.push(numbers)
  }
  if (offset !== body.length) throw malformed('have')
  return held
}

export function formatOutcome(outcome: PutOutcome): CborValue {
  return outcomes.indexOf(outcome)
}

export function parseOutcome(facts: CborValue): PutOutcome {
  const outcome = typeof facts === 'number' ? outcomes[facts] : undefined
  if (outcome === undefined) throw malformed('putShare')
  return outcome
}

/** The facts that answer `getBlocks`; its body is the header, then the blocks. */
export function parseBlocksFacts(facts: CborValue): { shareNumber: number; headerBytes: number } {
  if (!Array.isArray(facts) || facts.length !== 2) throw malformed('getBlocks')
  const [shareNumber, headerBytes] = facts as CborValue[]
  if (!isCount(shareNumber) || !isShareNumber(shareNumber) || !isCount(headerBytes)) {
    throw malformed('getBlocks')
  }
  return { shareNumber, headerBytes }
}

const statusCounts = [
  'freeBytes',
  'shareCount',
  'shareBytes',
  'nowMs',
  'quarantineDays',
  'quarantinedCount',
  'damagedCount',
  'diskBytes',
] as const satisfies readonly (keyof PeerStatus)[]

export function formatStatus(status: PeerStatus): CborValue {
  const { software, readOnly } = status
  const counts = statusCounts.map((name) => status[name])
  return [software.slice(0, maxSoftwareChars), readOnly ? 1 : 0, ...counts]
}

export function parseStatus(facts: CborValue): PeerStatus {
  if (!Array.isArray(facts) || facts.length !== 2 + statusCounts.length) throw malformed('status')
  const [software, readOnly, ...counts] = facts as CborValue[]
  if (typeof software !== 'string' || software.length > maxSoftwareChars) throw malformed('status')
  if (readOnly !== 0 && readOnly !== 1) throw malformed('status')
  if (!counts.every(isCount)) throw malformed('status')
  const named = Object.fromEntries(statusCounts.map((name, i) => [name, counts[i]]))
  return { software, readOnly: readOnly === 1, ...named } as PeerStatus
}

function list(value: CborValue, length?: number): CborValue[] {
  if (!Array.isArray(value) || value.length !== (length ?? value.length)) throw badRequest()
  return value as CborValue[]
}

function bytes(value: CborValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw badRequest()
}

function token(value: CborValue | undefined): Uint8Array {
  if (bytes(value).length === accountTokenBytes) return bytes(value)
  throw badRequest()
}

function integer(value: CborValue | undefined): number {
  if (typeof value === 'number') return value
  throw badRequest()
}

function isCount(value: CborValue | undefined): value is number {
  return typeof value === 'number' && value >= 0
}

function badRequest(): GridError {
  return new GridError('E_BAD_REQUEST', 'arguments that are not of the form the verb takes')
}

function malformed(verb: string): GridError {
  return new GridError('E_PROTOCOL', `the answer to ${verb} is malformed`)
}
