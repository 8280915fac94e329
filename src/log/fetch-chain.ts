/** Entries of one chain from one server, page by page, each in its place; links and signatures are not looked at. */
import { compareBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { orAbort, withDeadline } from '../base/deadline.ts'
import { GridError } from '../base/errors.ts'
import { checkBody, type ReadHeader, readHeader } from './entry.ts'
import { type KeptEntry, type LogPeer, minReadBytes, type ReadLogRequest } from './log-peer.ts'

/** Time that one request may take. */
export const logRequestMs = 10_000

export interface ChainRange {
  logId: Uint8Array
  author: Uint8Array
  firstSeq: number
  lastSeq: number
  bodies: ReadLogRequest['bodies']
  receipts: boolean
}

export interface FetchedEntry extends ReadHeader {
  /** The one that the header names, where it was asked for and there is one. */
  readonly body: Uint8Array | undefined
  readonly receipt: KeptEntry['receipt']
}

export interface FetchOptions {
  clock: Clock
  signal?: AbortSignal
}

/**
 * Yields entries `firstSeq` … `lastSeq`, in order.
 *
 * @throws E_PROTOCOL if the server leaves one out or sends another; what `LogPeer.readLog` throws
 */
export async function* fetchChain(
  peer: LogPeer,
  range: ChainRange,
  options: FetchOptions,
): AsyncGenerator<FetchedEntry> {
  let next = range.firstSeq
  while (next <= range.lastSeq) {
    const page = await fetchPage(peer, { ...range, firstSeq: next }, options)
    if (page.length === 0) throw withheld(next)
    for (const entry of page) yield checked(entry, range, next++)
  }
}

async function fetchPage(
  peer: LogPeer,
  { logId, author, firstSeq, lastSeq, bodies, receipts }: ChainRange,
  { clock, signal }: FetchOptions,
): Promise<readonly KeptEntry[]> {
  const request = {
    logId,
    genesis: false,
    ranges: [{ author, firstSeq, lastSeq }],
    others: false,
    bodies,
    receipts,
    // a server keeps room for as much as may come, so that few readers would fill it with more
    maxBytes: minReadBytes,
  }
  const ask = (inner: AbortSignal) => orAbort(peer.readLog(request, { signal: inner }), inner)
  const { entries } = await withDeadline(clock, logRequestMs, ask, { signal })
  if (entries.length > lastSeq - firstSeq + 1) throw withheld(lastSeq)
  return entries
}

function checked(entry: KeptEntry, range: ChainRange, seq: number): FetchedEntry {
  const { header, signature, fields, id } = readHeader(entry)
  const isInPlace =
    fields.seq === seq &&
    compareBytes(fields.author, range.author) === 0 &&
    compareBytes(fields.logId, range.logId) === 0
  if (!isInPlace) throw withheld(seq)
  const body = range.bodies === 'none' ? undefined : entry.body
  if (body !== undefined) checkBody(fields, body)
  return { header, signature, fields, id, body, receipt: entry.receipt }
}

function withheld(seq: number): GridError {
  return new GridError('E_PROTOCOL', `a server does not send entry ${seq}, which it says it has`)
}
