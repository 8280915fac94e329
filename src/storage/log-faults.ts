/**
 * The ways in which a server of logs may misbehave, by name, as `faults.ts` has them for shares:
 * what a reader has to notice, and a writer must not be taken in by. A server that is silent, late
 * or failing is in `faults.ts`, whose faults are of every verb.
 */
import { equalBytes } from '../base/bytes.ts'
import { type ErrorCode, GridError } from '../base/errors.ts'
import { randomBelow } from '../base/random.ts'
import { entryIdOf, type LogEntry, readHeader } from '../log/entry.ts'
import type {
  ChainHead,
  KeptEntry,
  LogPeer,
  ReadLogReply,
  ReadLogRequest,
} from '../log/log-peer.ts'
import { type Receipt, signReceipt } from '../log/receipt.ts'
import type { Fault, FaultyCall } from './faulty-peer.ts'
import type { NodeKey } from './log-judge.ts'

/** What an author who is in league with the server has signed besides. */
export interface Branch {
  author: Uint8Array
  /** From seq 1 on, linked. */
  entries: readonly KeptEntry[]
}

/** What a reader has asked, and who knows the truth. */
interface Reading {
  request: ReadLogRequest
  peer: LogPeer
}

export const logFaults = {
  /** Old heads: the newest `count` entries of every chain are not there. */
  hidesNewest: (count = 1): Fault => ({
    readLog: async ({ asked: [request], peer }) => {
      const { heads } = await peer.readLog({ ...request, others: false, ranges: [] })
      const older = heads.map(({ author, seq }) => ({ author, seq: Math.max(0, seq - count) }))
      return viewOf(older, { request, peer })
    },
  }),

  /** The state of the first time it was asked, for ever. */
  standsStill: (): Fault => {
    let first: ChainHead[] | undefined
    return {
      readLog: async ({ asked: [request], peer }) => {
        first ??= (await peer.readLog({ ...request, others: false, ranges: [] })).heads
        return viewOf(first, { request, peer })
      },
    }
  },

  /** A chain is not there: this author's, or that of the last. */
  omitsChain: (named?: Uint8Array): Fault =>
    spoilsLog((reply) => {
      const author = named ?? reply.heads.at(-1)?.author
      if (author === undefined) return reply
      const heads = reply.heads.filter((head) => !equalBytes(head.author, author))
      return { ...reply, heads, entries: reply.entries.filter((each) => !isOf(each, author)) }
    }),

  /** An entry from the midst of the answer is not there. */
  omitsEntry: (): Fault =>
    spoilsLog((reply) => {
      const { entries } = reply
      const gone = entries.length >> 1
      return { ...reply, entries: entries.filter((_, i) => i !== gone) }
    }),

  /** Entries in another order. */
  reordersEntries: (): Fault =>
    spoilsLog((reply) => ({ ...reply, entries: [...reply.entries].reverse() })),

  /** One wrong bit in every entry: in its header, its signature, its body or its receipt. */
  garblesEntries: (part: 'header' | 'signature' | 'body' | 'receipt' = 'header'): Fault =>
    spoilsLog((reply, call) => ({
      ...reply,
      entries: reply.entries.map((entry) => garbled(entry, part, call)),
    })),

  /** Random bytes for the genesis. */
  garblesGenesis: (): Fault =>
    spoilsLog((reply, { random }) => ({
      ...reply,
      genesis: reply.genesis && random.bytes(reply.genesis.length),
    })),

  /** Heads that nobody wrote. */
  inventsHeads: (): Fault =>
    spoilsLog((reply, { random }) => ({
      ...reply,
      heads: reply.heads.map(({ author, seq }) => {
        return { author, seq: seq + 1000, id: random.bytes(32) }
      }),
    })),

  /** Another branch of a chain, properly signed: what a forking author gives to some servers. */
  showsBranch: ({ author, entries }: Branch): Fault =>
    spoilsLog((reply, { asked: [request] }) => {
      const range = request.ranges.find((each) => equalBytes(each.author, author))
      const { firstSeq, lastSeq } = range ?? { firstSeq: 1, lastSeq: entries.length }
      const shown = range || request.others ? entries.slice(firstSeq - 1, lastSeq) : []
      const last = entries[entries.length - 1]
      const head = { author, seq: entries.length, id: entryIdOf(last.header) }
      return {
        ...reply,
        heads: reply.heads.map((each) => (equalBytes(each.author, author) ? head : each)),
        entries: [...reply.entries.filter((each) => !isOf(each, author)), ...shown],
      }
    }),

  /** Gives no bodies. */
  withholdsBodies: (): Fault =>
    spoilsLog((reply) => ({
      ...reply,
      entries: reply.entries.map((entry) => ({ ...entry, body: undefined })),
    })),

  /** Never has all that was asked for, and so wants to be asked again. */
  neverEnds: (): Fault => spoilsLog((reply) => ({ ...reply, complete: false })),

  /** More than was asked for. */
  sendsTooMany: (): Fault =>
    spoilsLog((reply) => {
      const [entry] = reply.entries as (KeptEntry | undefined)[]
      if (entry === undefined) return reply
      return { ...reply, entries: Array.from({ length: 40_000 }, () => entry) }
    }),

  /** Has no log any more. */
  losesLogs: (): Fault => ({
    readLog: refuses('E_ABSENT'),
    appendEntries: ({ asked: [request], honest }) =>
      request.genesis === undefined ? refuses('E_ABSENT')() : honest(),
  }),

  /** Says that it knew another count of the admin's entries when it took others: far more, or none. */
  misstatesAdmin: (adminSeq: number = Number.MAX_SAFE_INTEGER): Fault => ({
    appendEntries: async ({ honest }) => ({ ...(await honest()), adminSeq }),
  }),

  /** Receipts that it has not signed. */
  forgesReceipts: (): Fault => ({
    appendEntries: async ({ honest, random }) => {
      const { verdicts, adminSeq } = await honest()
      return {
        adminSeq,
        verdicts: verdicts.map((verdict) =>
          'receipt' in verdict
            ? { ...verdict, receipt: { ...verdict.receipt, signature: random.bytes(64) } }
            : verdict,
        ),
      }
    },
  }),

  /** Signs for everything, and keeps nothing. */
  signsOnly: (nodeKey: NodeKey): Fault => ({
    appendEntries: async ({ asked: [{ logId, entries }], clock }) => ({
      adminSeq: 0,
      verdicts: entries.map(({ header }) => {
        const subject = { logId, id: entryIdOf(header) }
        const at = { receivedMs: clock.nowMs(), late: false }
        return { outcome: 'stored', receipt: signReceipt(subject, at, nodeKey) }
      }),
    }),
  }),

  /** Says of every entry that those before it are missing. */
  claimsGap: (): Fault => ({
    appendEntries: async ({ asked: [request] }) => ({
      adminSeq: 0,
      verdicts: request.entries.slice(0, 1).map(() => ({ outcome: 'gap', headSeq: 0 })),
    }),
  }),

  /** Says of every entry that another is in its place, and shows noise, or that entry itself. */
  claimsConflict: (noise = true): Fault => ({
    appendEntries: async ({ asked: [request], random }) => ({
      adminSeq: 0,
      verdicts: request.entries.slice(0, 1).map(({ header, signature }) => ({
        outcome: 'conflict',
        held: noise
          ? { header: random.bytes(header.length), signature: random.bytes(64) }
          : { header, signature },
      })),
    }),
  }),

  /** Takes no entries, for this reason. */
  refusesEntries: (code: ErrorCode = 'E_FULL'): Fault => ({
    appendEntries: async ({ asked: [request] }) => ({
      adminSeq: 0,
      verdicts: request.entries.slice(0, 1).map(() => {
        return { outcome: 'refused', code, reason: 'a fault of the server' }
      }),
    }),
  }),
}

/** The honest answer as if chains ended where `heads` say. */
async function viewOf(
  heads: readonly Pick<ChainHead, 'author' | 'seq'>[],
  { request, peer }: Reading,
): Promise<ReadLogReply> {
  const bounded = heads.map(({ author, seq }) => {
    const range = request.ranges.find((each) => equalBytes(each.author, author))
    const lastSeq = range === undefined && !request.others ? 0 : seq
    if (range === undefined) return { author, firstSeq: 1, lastSeq }
    return { author, firstSeq: range.firstSeq, lastSeq: Math.min(range.lastSeq, seq) }
  })
  const reply = await peer.readLog({ ...request, ranges: bounded, others: false })
  const shown = await Promise.all(heads.map((head) => headAt(head, { request, peer })))
  return { ...reply, heads: shown.flat(), forks: [] }
}

async function headAt(
  { author, seq }: Pick<ChainHead, 'author' | 'seq'>,
  { request, peer }: Reading,
): Promise<ChainHead[]> {
  if (seq === 0) return []
  const last: ReadLogRequest = {
    ...{ ...request, genesis: false, others: false, bodies: 'none', receipts: false },
    ranges: [{ author, firstSeq: seq, lastSeq: seq }],
  }
  const { entries } = await peer.readLog(last)
  return entries.map(({ header }) => ({ author, seq, id: entryIdOf(header) }))
}

/** Changes each honest answer to `readLog`. */
function spoilsLog(
  spoil: (reply: ReadLogReply, call: FaultyCall<'readLog'>) => ReadLogReply,
): Fault {
  return { readLog: async (call) => spoil(await call.honest(), call) }
}

function garbled(
  entry: KeptEntry,
  part: 'header' | 'signature' | 'body' | 'receipt',
  { random }: FaultyCall<'readLog'>,
): KeptEntry {
  const flip = <B extends Uint8Array | undefined>(bytes: B): B => {
    if (bytes === undefined || bytes.length === 0) return bytes
    const spoilt = bytes.slice()
    spoilt[randomBelow(random, spoilt.length)] ^= 1 << randomBelow(random, 8)
    return spoilt as B
  }
  if (part !== 'receipt') return { ...entry, [part]: flip(entry[part]) }
  const { receipt } = entry
  const spoilt: Receipt | undefined = receipt && { ...receipt, signature: flip(receipt.signature) }
  return { ...entry, receipt: spoilt }
}

function isOf({ header, signature }: LogEntry, author: Uint8Array): boolean {
  return equalBytes(readHeader({ header, signature }).fields.author, author)
}

function refuses(code: ErrorCode): () => Promise<never> {
  return () => Promise.reject(new GridError(code, 'a fault of the server'))
}
