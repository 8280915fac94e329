/** What a running node says of itself to the command line of its home: see `OwnNode`. */
import type { Clock } from '../../base/clock.ts'
import type { Net } from '../../base/net.ts'
import { version } from '../../base/version.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'
import type { Scrubber, ScrubReport } from '../../storage/scrub/scrubber.ts'
import type { Traffic } from '../../storage/traffic.ts'
import type { NodeEvent } from './node-event.ts'
import type { NodeEvents } from './node-events.ts'
import type { NodeView, OwnNode } from './own-verbs.ts'
import type { PeerPool } from '../peers/peer-pool.ts'
import type { SweepJobs, SweepOutcome, SweepWish } from './sweep-job.ts'

export interface RunningParts {
  nickname: string
  clock: Clock
  net: Net
  peers: PeerPool
  events: NodeEvents
  traffic: Traffic
  /** All absent where it keeps no shares. */
  storage: LocalPeer | undefined
  scrubber: Scrubber | undefined
  sweeps: SweepJobs | undefined
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
      sweep: storage?.lastSweep,
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
    return this.#parts.sweeps?.start(wish)
  }

  async swept(job: number): Promise<SweepOutcome> {
    return this.#parts.sweeps?.outcome(job) ?? {}
  }

  async stopTaking(): Promise<boolean> {
    await this.#parts.stopTaking()
    return true
  }
}
