/** What a running node says of itself to the command line of its home: see `OwnNode`. */
import type { Clock } from '../../base/clock.ts'
import type { Net } from '../../base/net.ts'
import type { Trace } from '../../base/trace.ts'
import { version } from '../../base/version.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'
import type { Scrubber, ScrubReport } from '../../storage/scrub/scrubber.ts'
import type { Traffic } from '../../storage/traffic.ts'
import type { NodeEvent } from './node-event.ts'
import type { NodeEvents } from './node-events.ts'
import type { NodeView, OwnNode } from './own-verbs.ts'
import type { PeerPool } from '../peers/peer-pool.ts'
import type { JobOutcome, OwnJobs } from './own-jobs.ts'
import { purgeAndTell, type PurgeWish, sweepAndTell, type SweepWish } from './own-sweep.ts'

export interface RunningParts {
  nickname: string
  clock: Clock
  net: Net
  peers: PeerPool
  events: NodeEvents
  traffic: Traffic
  jobs: OwnJobs
  trace: Trace
  /** Both absent where it keeps no shares. */
  storage: LocalPeer | undefined
  scrubber: Scrubber | undefined
  /** Takes no shares from now on, and says so to others. */
  stopTaking: () => Promise<void>
}

export class RunningOwnNode implements OwnNode {
  readonly #parts: RunningParts

  constructor(parts: RunningParts) {
    this.#parts = parts
  }

  async view(): Promise<NodeView> {
    const { nickname, clock, net, peers, traffic, storage, scrubber } = this.#parts
    return {
      peerId: net.id,
      nickname,
      software: version,
      upMs: Math.round(traffic.elapsedMs),
      nowMs: Math.floor(clock.nowMs()),
      memoryBytes: process.memoryUsage.rss(),
      connections: net.connectionCount(),
      peers: peers.candidates().length,
      ...traffic.bytes,
      requests: traffic.requests,
      storage: await storage?.status(),
      scrub: await scrubber?.report(),
      sweep: storage?.holds.lastSweep,
    }
  }

  async events(seq: number, limit: number): Promise<NodeEvent[]> {
    return this.#parts.events.after(seq, limit)
  }

  async scrub(): Promise<ScrubReport | undefined> {
    const { scrubber } = this.#parts
    scrubber?.force()
    return scrubber?.report()
  }

  async sweep(wish: SweepWish): Promise<number | undefined> {
    const { storage, jobs, trace } = this.#parts
    return storage && jobs.start((options) => sweepAndTell(storage, trace, { ...wish, ...options }))
  }

  async purge({ publicKey, dryRun }: PurgeWish): Promise<number | undefined> {
    const { storage, jobs, trace } = this.#parts
    return (
      storage &&
      jobs.start((options) => purgeAndTell(storage, trace, publicKey, { dryRun, ...options }))
    )
  }

  async outcome(job: number): Promise<JobOutcome> {
    return this.#parts.jobs.outcome(job)
  }

  async stopTaking(): Promise<boolean> {
    await this.#parts.stopTaking()
    return true
  }
}
