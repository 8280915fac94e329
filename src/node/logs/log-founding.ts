/**
 * Finds servers for a new log, and gives them its genesis and first entry, a certificate
 * (docs/specs/log.md, "Servers and quorums"). Nobody knows of the log before it is there, so nothing
 * has to be read first, and no journal is needed.
 */
import { setMaxListeners } from 'node:events'
import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { publicKeyOf } from '../../base/peer-id.ts'
import type { ChunkProfile } from '../../encoding/encoder.ts'
import { rights, signCertificate } from '../../log/certificate.ts'
import { bodyHashOf, entryIdOf, formatHeader, signHeader } from '../../log/entry.ts'
import { createLog, type Grant, type NewLog } from '../../log/log-admin.ts'
import { maxLiars, quorumOf } from '../../log/log-config.ts'
import type { AppendVerdict, HandedEntry } from '../../log/log-peer.ts'
import { isReceiptFor } from '../../log/receipt.ts'
import { spread } from '../placement/placement.ts'
import { type Candidate, isFull, type PeerVerdict, verdictOf } from '../peers/candidate.ts'

export interface FoundingOptions {
  /** 32 random bytes. */
  adminSeed: Uint8Array
  /** Whom the first certificate is for. */
  grant: Grant
  profile: ChunkProfile
  clock: Clock
  signal?: AbortSignal
}

/** Servers of a log, where there are so many: three may lie, and seven must answer. */
export const serversWanted = 10
/** What is waited for the others once a quorum keeps the log. */
const graceMs = 1000
/** What is waited for a quorum. */
const patienceMs = 10_000

/**
 * Makes a log that a quorum of its servers keeps: of the first ten of `candidates` that accept, spread
 * over failure domains, in their order. Those that refuse are replaced while there are others.
 *
 * @throws E_NOT_ENOUGH_SERVERS with each server's verdict; E_FULL if enough have no room
 */
export async function foundLog(
  candidates: readonly Candidate[],
  options: FoundingOptions,
): Promise<NewLog> {
  const { adminSeed, profile, clock } = options
  const accepting = candidates.filter(({ accepts, id }) => accepts && publicKeyOf(id) !== undefined)
  // a domain gets as many as may lie, while there are others
  const wanted = Math.min(serversWanted, accepting.length)
  const room = { limit: Math.max(1, maxLiars(wanted)), wanted }
  const refused = new Map<string, PeerVerdict>()
  for (;;) {
    const willing = accepting.filter(({ id }) => !refused.has(id))
    const chosen = [...spread(willing, [], room), ...accepting.filter(({ id }) => refused.has(id))]
    const servers = chosen.slice(0, serversWanted)
    if (servers.length === 0) throw tooFew([], 0, 1)
    const keys = servers.map(({ id }) => publicKeyOf(id)!)
    const createdMs = Math.max(0, Math.floor(clock.nowMs()))
    const log = createLog(adminSeed, { servers: keys, profile, createdMs })
    const entry = certificateEntry(log, options.grant, createdMs)
    const verdicts = await giveLog(log, entry, servers, options)
    const news = verdicts.filter(({ peerId }) => !refused.has(peerId))
    for (const verdict of news) refused.set(verdict.peerId, verdict)
    const hasSpares = willing.length > servers.length
    if (news.length > 0 && hasSpares) continue
    const kept = servers.length - verdicts.length
    if (kept >= quorumOf(servers.length)) return log
    throw tooFew(verdicts, kept, quorumOf(servers.length))
  }
}

/** The first entry of the admin's chain. */
function certificateEntry({ cap, keys }: NewLog, grant: Grant, clientMs: number): HandedEntry {
  const { logId } = cap
  const rightBits = grant.rights.reduce((bits, right) => bits | rights[right], 0)
  const { subject, limits, label } = grant
  const certificate = { logId, subject, rightBits, limits, label, serial: 1 }
  const body = signCertificate(certificate, keys.signSeed)
  const header = formatHeader({
    ...{ logId, author: keys.adminKey, seq: 1, prev: logId, skip: logId, acks: [], clientMs },
    ...{ kind: 'certificate', bodyHash: bodyHashOf(body), bodyBytes: body.length },
  })
  return { header, signature: signHeader(header, keys.signSeed), body, receipts: [] }
}

/** Resolves to those that do not keep it; one that says nothing is waited for a second at most. */
async function giveLog(
  { cap, genesis }: NewLog,
  entry: HandedEntry,
  servers: readonly Candidate[],
  { clock, signal }: FoundingOptions,
): Promise<PeerVerdict[]> {
  const { logId } = cap
  const request = { logId, genesis, entries: [entry] }
  const stop = new AbortController()
  const silent = new Map(servers.map(({ id }) => [id, silence(id)]))
  const refusals: PeerVerdict[] = []
  const inner = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  // every server listens to it
  setMaxListeners(0, inner)
  let kept = 0
  let cancel = clock.after(patienceMs, () => stop.abort())
  const hurry = (): void => {
    cancel()
    cancel = clock.after(graceMs, () => stop.abort())
  }
  const asked = servers.map(async ({ id, peer }) => {
    try {
      const { verdicts } = await peer.appendEntries(request, { signal: inner })
      checkTaken(verdicts.at(0), id, { logId, id: entryIdOf(entry.header) })
      silent.delete(id)
      if (++kept === quorumOf(servers.length)) hurry()
    } catch (error) {
      if (stop.signal.aborted) return
      silent.delete(id)
      refusals.push(verdictOf(id, error))
    }
  })
  const aborted = new Promise<void>((resolve) =>
    inner.addEventListener('abort', () => resolve(), { once: true }),
  )
  try {
    await Promise.race([Promise.all(asked), aborted])
  } finally {
    cancel()
  }
  signal?.throwIfAborted()
  return [...refusals, ...silent.values()]
}

/** Throws unless the server of this id gives its receipt for the entry. */
function checkTaken(
  verdict: AppendVerdict | undefined,
  peerId: string,
  entry: { logId: Uint8Array; id: Uint8Array },
): void {
  if (verdict?.outcome === 'refused') throw new GridError(verdict.code, verdict.reason)
  const receipt = verdict !== undefined && 'receipt' in verdict ? verdict.receipt : undefined
  const key = publicKeyOf(peerId)
  const isOwn = receipt !== undefined && key !== undefined && equalBytes(receipt.node, key)
  if (!isOwn || !isReceiptFor(entry, receipt))
    throw new GridError('E_RECEIPT', 'it gives no receipt of its own')
}

function silence(peerId: string): PeerVerdict {
  return { peerId, code: 'E_TIMEOUT', message: 'did not answer' }
}

function tooFew(verdicts: readonly PeerVerdict[], stored: number, happy: number): GridError {
  const facts = { stored, happy, servers: verdicts }
  const keep = `${stored} servers keep the log, and ${happy} are needed`
  if (isFull(verdicts, happy - stored))
    return new GridError('E_FULL', `the grid is full: ${keep}; others have no room`, {
      hint: 'make room on their disks, or add servers',
      facts,
    })
  return new GridError('E_NOT_ENOUGH_SERVERS', keep, {
    hint: 'see `grid status` for the servers',
    facts,
  })
}
