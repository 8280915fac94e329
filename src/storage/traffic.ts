/** What a server is asked, counted: a peer that wraps another, and the sums. */
import type { Clock } from '../base/clock.ts'
import { isGridError } from '../base/errors.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import type {
  BlocksReply,
  BlocksRequest,
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from './peer.ts'
import { askPeer, type Call, type Reply, type StorageVerb } from './verbs.ts'
import { WrappingPeer } from './wrapping-peer.ts'

export interface VerbCount {
  requests: number
  /** Of those, how many ended with an error, and how many have not ended. */
  failed: number
  underWay: number
}

export interface TrafficOptions {
  clock: Clock
  trace?: Trace
}

export class Traffic {
  readonly #clock: Clock
  readonly #trace: Trace
  readonly #verbs = new Map<StorageVerb, VerbCount>()
  readonly #startMs: number
  #inBytes = 0
  #outBytes = 0
  #underWay = 0

  constructor({ clock, trace = noTrace }: TrafficOptions) {
    this.#clock = clock
    this.#trace = trace
    this.#startMs = clock.monotonicMs()
  }

  /** Requests under way but for `status`, which costs nothing. */
  get isBusy(): boolean {
    return this.#underWay > 0
  }

  /** Since when it counts, in ms. */
  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startMs
  }

  /** Bytes of shares taken in and given out. */
  get bytes(): { inBytes: number; outBytes: number } {
    return { inBytes: this.#inBytes, outBytes: this.#outBytes }
  }

  /** By verb, those that were asked at least once. */
  get requests(): Partial<Record<StorageVerb, VerbCount>> {
    return Object.fromEntries([...this.#verbs].map(([verb, count]) => [verb, { ...count }]))
  }

  /** `peer`, with all that is asked of it counted here. */
  around(peer: StoragePeer): StoragePeer {
    return new CountedPeer(peer, this)
  }

  /** Counts a request for as long as `ask` is under way. Throws as it does. */
  async count<T>(verb: StorageVerb, ask: () => Promise<T>): Promise<T> {
    const count = this.#countOf(verb)
    const weight = verb === 'status' ? 0 : 1
    count.requests++
    count.underWay++
    this.#underWay += weight
    try {
      return await ask()
    } catch (error) {
      count.failed++
      if (verb === 'putShare' && isGridError(error, 'E_FULL', 'E_READ_ONLY', 'E_BUSY', 'E_IO'))
        this.#trace.event('put.refused', { code: error.code, cause: error.message })
      throw error
    } finally {
      count.underWay--
      this.#underWay -= weight
    }
  }

  /** Counts bytes of shares. */
  carry({ inBytes = 0, outBytes = 0 }: { inBytes?: number; outBytes?: number }): void {
    this.#inBytes += inBytes
    this.#outBytes += outBytes
  }

  #countOf(verb: StorageVerb): VerbCount {
    const known = this.#verbs.get(verb)
    if (known !== undefined) return known
    const count = { requests: 0, failed: 0, underWay: 0 }
    this.#verbs.set(verb, count)
    return count
  }
}

class CountedPeer extends WrappingPeer {
  override readonly id: string
  readonly #peer: StoragePeer
  readonly #traffic: Traffic

  constructor(peer: StoragePeer, traffic: Traffic) {
    super()
    this.id = peer.id
    this.#peer = peer
    this.#traffic = traffic
  }

  override async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome> {
    const outcome = await super.putShare(storageIndex, shareNumber, share, options)
    if (outcome === 'stored') this.#traffic.carry({ inBytes: share.shareBytes })
    return outcome
  }

  override async getBlocks(request: BlocksRequest, options?: RequestOptions): Promise<BlocksReply> {
    const reply = await super.getBlocks(request, options)
    this.#traffic.carry({ outBytes: reply.header.length + reply.blocks.length })
    return reply
  }

  protected ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    return this.#traffic.count(call.verb, () => askPeer(this.#peer, call))
  }
}
