/** Tells who joins the peers of a node, and who is not among those that take shares any more. */
import { type Clock, sleep } from '../../base/clock.ts'
import type { Trace } from '../../base/trace.ts'
import type { PeerPool } from '../peers/peer-pool.ts'

export interface PeerWatchOptions {
  clock: Clock
  trace: Trace
  signal: AbortSignal
}

const intervalMs = 15_000

/** Looks again and again until the signal aborts; rejects with its reason. */
export async function watchPeers(
  pool: Pick<PeerPool, 'candidates' | 'nickname'>,
  { clock, trace, signal }: PeerWatchOptions,
): Promise<never> {
  let known = new Map<string, string>()
  for (;;) {
    const now = new Map<string, string>()
    for (const { id, accepts } of pool.candidates()) if (accepts) now.set(id, pool.nickname(id))
    for (const [id, peer] of now) if (!known.has(id)) trace.event('peer.joined', { peer, id })
    for (const [id, peer] of known) if (!now.has(id)) trace.event('peer.lost', { peer, id })
    known = now
    await sleep(clock, intervalMs, { signal })
  }
}
