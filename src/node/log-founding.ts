/** Finds servers for a new log, and gives them its genesis (docs/specs/log.md, "Servers and quorums"). */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { publicKeyOf } from '../base/peer-id.ts'
import type { ChunkProfile } from '../encoding/encoder.ts'
import { createLog, type NewLog } from '../log/log-admin.ts'
import { quorumOf } from '../log/log-config.ts'
import { type Candidate, type PeerVerdict, verdictOf } from './candidate.ts'

export interface FoundingOptions {
  /** 32 random bytes. */
  adminSeed: Uint8Array
  profile: ChunkProfile
  clock: Clock
  signal?: AbortSignal
}

/** Servers of a log, where there are so many: three may lie, and seven must answer. */
const serversWanted = 10
/** What is waited for the others once a quorum keeps the log. */
const graceMs = 1000
/** What is waited for a quorum. */
const patienceMs = 10_000

/**
 * Makes a log that a quorum of its servers keeps: of the first ten of `candidates` that accept, in
 * their order. Those that refuse are replaced while there are others.
 *
 * @throws E_NOT_ENOUGH_SERVERS with each server's verdict
 */
export async function foundLog(
  candidates: readonly Candidate[],
  options: FoundingOptions,
): Promise<NewLog> {
  const { adminSeed, profile, clock } = options
  const accepting = candidates.filter(({ accepts, id }) => accepts && publicKeyOf(id) !== undefined)
  const refused = new Map<string, PeerVerdict>()
  for (;;) {
    const willing = accepting.filter(({ id }) => !refused.has(id))
    const chosen = [...willing, ...accepting.filter(({ id }) => refused.has(id))]
    const servers = chosen.slice(0, serversWanted)
    if (servers.length === 0) throw tooFew([], 0, 1)
    const keys = servers.map(({ id }) => publicKeyOf(id)!)
    const createdMs = Math.max(0, Math.floor(clock.nowMs()))
    const log = createLog(adminSeed, { servers: keys, profile, createdMs })
    const verdicts = await giveGenesis(log, servers, options)
    const news = verdicts.filter(({ peerId }) => !refused.has(peerId))
    for (const verdict of news) refused.set(verdict.peerId, verdict)
    const hasSpares = willing.length > servers.length
    if (news.length > 0 && hasSpares) continue
    const kept = servers.length - verdicts.length
    if (kept >= quorumOf(servers.length)) return log
    throw tooFew(verdicts, kept, quorumOf(servers.length))
  }
}

/** Resolves to those that do not keep it; one that says nothing is waited for a second at most. */
async function giveGenesis(
  { cap, genesis }: NewLog,
  servers: readonly Candidate[],
  { clock, signal }: FoundingOptions,
): Promise<PeerVerdict[]> {
  const request = { logId: cap.logId, genesis, entries: [] }
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
      await peer.appendEntries(request, { signal: inner })
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

function silence(peerId: string): PeerVerdict {
  return { peerId, code: 'E_TIMEOUT', message: 'did not answer' }
}

function tooFew(verdicts: readonly PeerVerdict[], stored: number, happy: number): GridError {
  return new GridError(
    'E_NOT_ENOUGH_SERVERS',
    `${stored} servers keep the log, and ${happy} are needed`,
    { hint: 'see `grid status` for the servers', facts: { stored, happy, servers: verdicts } },
  )
}
