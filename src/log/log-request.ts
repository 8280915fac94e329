/** What requests about logs must look like, and in what order a read is answered (docs/specs/log.md, "Verbs"). */
import { GridError } from '../base/errors.ts'
import { toHex } from '../base/bytes.ts'
import { hashBytes } from '../base/hash.ts'
import { type EntryKind, maxBodyBytes, maxHeaderBytes } from './entry.ts'
import { maxGenesisBytes } from './genesis.ts'
import {
  type AppendRequest,
  entryWireBytes,
  maxAppendBytes,
  maxAppendEntries,
  maxChains,
  maxHandedReceipts,
  maxReadBytes,
  minReadBytes,
  type ReadLogRequest,
} from './log-peer.ts'
import { ruleKinds } from './log-rules.ts'
import type { LogState } from './log-state.ts'

/** Throws E_BAD_REQUEST or E_TOO_LARGE; what an entry holds is not looked at. */
export function checkAppendRequest({ logId, genesis, entries }: AppendRequest): void {
  checkId(logId)
  if (genesis !== undefined && genesis.length > maxGenesisBytes) throw tooLarge('genesis')
  if (entries.length > maxAppendEntries) throw badRequest('too many entries')
  let bytes = 0
  for (const entry of entries) {
    if (entry.receipts.length > maxHandedReceipts) throw badRequest('too many receipts')
    if (entry.header.length > maxHeaderBytes) throw tooLarge('header')
    if ((entry.body?.length ?? 0) > maxBodyBytes) throw tooLarge('body')
    bytes += entryWireBytes(entry)
  }
  if (bytes > maxAppendBytes) throw tooLarge('request')
}

/** Throws E_BAD_REQUEST. */
export function checkReadRequest({ logId, ranges, maxBytes }: ReadLogRequest): void {
  checkId(logId)
  if (ranges.length > maxChains) throw badRequest('too many ranges')
  for (const { author, firstSeq, lastSeq } of ranges) {
    checkId(author)
    if (!Number.isSafeInteger(firstSeq) || firstSeq < 1) throw badRequest('a range that is none')
    if (!Number.isSafeInteger(lastSeq) || lastSeq < 0) throw badRequest('a range that is none')
  }
  if (new Set(ranges.map(({ author }) => toHex(author))).size !== ranges.length) {
    throw badRequest('an author twice')
  }
  const isBounded = Number.isSafeInteger(maxBytes) && maxBytes >= minReadBytes
  if (!isBounded || maxBytes > maxReadBytes) throw badRequest('a bound that is none')
}

/** Which entries `request` asks for, in the order in which they are answered. */
export function* entriesAskedFor(
  state: LogState,
  request: ReadLogRequest,
): Generator<{ author: Uint8Array; seq: number }> {
  const ranges = new Map(request.ranges.map((range) => [toHex(range.author), range]))
  for (const { author, seq } of state.heads) {
    const range = ranges.get(toHex(author))
    if (range === undefined && !request.others) continue
    const last = Math.min(seq, range?.lastSeq ?? seq)
    for (let at = range?.firstSeq ?? 1; at <= last; at++) yield { author, seq: at }
  }
}

/** Whether the body of an entry of `kind` was asked for. */
export function isBodyWanted(bodies: ReadLogRequest['bodies'], kind: EntryKind): boolean {
  return bodies === 'all' || (bodies === 'rules' && ruleKinds.has(kind))
}

function checkId(id: Uint8Array): void {
  if (!(id instanceof Uint8Array) || id.length !== hashBytes) {
    throw badRequest('an id or key of another length than 32 bytes')
  }
}

function badRequest(why: string): GridError {
  return new GridError('E_BAD_REQUEST', `bad request: ${why}`)
}

function tooLarge(what: string): GridError {
  return new GridError('E_TOO_LARGE', `a ${what} beyond its limit`)
}
