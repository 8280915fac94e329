/**
 * One entry to all servers of a log at once, done as soon as a quorum of each config in force has
 * given receipts (docs/specs/log.md, "Appending").
 */
import { asGridError, type ErrorCode } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import { plainText } from '../base/plain-text.ts'
import { type ForkProof, forkProofOf } from './conclusion.ts'
import type { LogEntry, ReadHeader } from './entry.ts'
import type { Handover, KnownChain, Offered } from './handover.ts'
import { type LogConfig, quorumOf } from './log-config.ts'
import type { HandedEntry, LogPeer } from './log-peer.ts'
import { isReceiptFor, type Receipt } from './receipt.ts'

/** What one server made of an entry. */
export type ServerReceipt =
  /** `adminSeq` is its bare word: how long it knew the admin's chain when it had the entry. */
  | { server: string; outcome: 'stored' | 'had'; receipt: Receipt; adminSeq: number }
  | { server: string; outcome: 'forked'; proof: ForkProof }
  | { server: string; outcome: 'failed'; code: ErrorCode; reason: string }
  /** It had not answered when the quorum was there. */
  | { server: string; outcome: 'pending' }

export interface AppendReport {
  /** `not-durable`: written, but on fewer servers than a quorum; it is offered again. */
  outcome: 'committed' | 'not-durable'
  seq: number
  id: Uint8Array
  /** As it was signed. */
  entry: LogEntry
  receipts: readonly Receipt[]
  /** Of each server of the configs in force. */
  servers: readonly ServerReceipt[]
  /** Resolves when the last server has answered or been given up; never rejects. */
  settled: Promise<readonly ServerReceipt[]>
}

export interface QuorumAppendOptions {
  logId: Uint8Array
  handover: Handover
  configs: readonly LogConfig[]
  peers: () => readonly LogPeer[]
  signal?: AbortSignal
}

/** @param chain - the one that `entry` belongs to, up to it or the entry before it */
export async function appendAtQuorum(
  handed: HandedEntry,
  entry: ReadHeader,
  chain: KnownChain,
  options: QuorumAppendOptions,
): Promise<AppendReport> {
  const keys = new Map(
    options.configs.flatMap(({ servers }) => servers.map((key) => [peerIdOf(key), key] as const)),
  )
  const answers = new Map<string, ServerReceipt>()
  for (const server of keys.keys()) answers.set(server, { server, outcome: 'pending' })
  const isCommitted = (): boolean => isTaken([...answers.values()], options.configs)
  let done = (): void => {}
  const committed = new Promise<void>((resolve) => (done = resolve))
  const offers = [...keys.keys()].map(async (server) => {
    answers.set(server, await offerTo(server, handed, entry, chain, options))
    if (isCommitted()) done()
  })
  const settled = Promise.all(offers).then(() => [...answers.values()])
  await Promise.race([committed, settled])
  options.signal?.throwIfAborted()
  const servers = [...answers.values()]
  return {
    outcome: isCommitted() ? 'committed' : 'not-durable',
    seq: entry.fields.seq,
    id: entry.id,
    entry: { header: handed.header, signature: handed.signature, body: handed.body },
    receipts: servers.flatMap((answer) => ('receipt' in answer ? answer.receipt : [])),
    servers,
    settled,
  }
}

/**
 * Whether a quorum of each of `configs` has given receipts; and, if `adminSeq` is given, said with
 * them that it knew no more entries of the admin than these.
 */
export function isTaken(
  answers: readonly ServerReceipt[],
  configs: readonly LogConfig[],
  adminSeq?: number,
): boolean {
  const ids = new Set(
    answers.flatMap((answer) => {
      if (!('receipt' in answer)) return []
      return adminSeq === undefined || answer.adminSeq <= adminSeq ? answer.server : []
    }),
  )
  return configs.every(({ servers }) => {
    const held = servers.filter((key) => ids.has(peerIdOf(key)))
    return held.length >= quorumOf(servers.length)
  })
}

/** Never rejects. */
async function offerTo(
  server: string,
  handed: HandedEntry,
  entry: ReadHeader,
  chain: KnownChain,
  { logId, handover, peers, signal }: QuorumAppendOptions,
): Promise<ServerReceipt> {
  const peer = peers().find(({ id }) => id === server)
  if (peer === undefined) {
    return { server, outcome: 'failed', code: 'E_UNREACHABLE', reason: 'not connected' }
  }
  try {
    const offered = await handover.offer(peer, handed, chain, { signal })
    return toReceipt(server, offered, { ...entry, logId })
  } catch (error) {
    const { code, message } = asGridError(error, 'E_INTERRUPTED', 'a log server')
    return { server, outcome: 'failed', code, reason: message }
  }
}

/** A server's word counts only as far as its signature, or the author's, bears it out. */
function toReceipt(
  server: string,
  { verdict, adminSeq }: Offered,
  entry: ReadHeader & { logId: Uint8Array },
): ServerReceipt {
  switch (verdict.outcome) {
    case 'stored':
    case 'had': {
      const { outcome, receipt } = verdict
      const isOwn = peerIdOfReceipt(receipt) === server && isReceiptFor(entry, receipt)
      if (isOwn) return { server, outcome, receipt, adminSeq }
      return { server, outcome: 'failed', code: 'E_RECEIPT', reason: 'its receipt is not valid' }
    }
    case 'conflict': {
      const proof = forkProofOf(verdict.held, entry)
      if (proof !== undefined) return { server, outcome: 'forked', proof }
      return { server, outcome: 'failed', code: 'E_PROTOCOL', reason: 'it feigns a conflict' }
    }
    case 'gap':
      return { server, outcome: 'failed', code: 'E_LINK', reason: 'it lacks earlier entries' }
    case 'refused':
      return { server, outcome: 'failed', code: verdict.code, reason: plainText(verdict.reason) }
  }
}

function peerIdOfReceipt({ node }: Receipt): string | undefined {
  return node.length === 32 ? peerIdOf(node) : undefined
}
