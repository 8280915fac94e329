/** What a server is asked, counted: a peer that wraps another, and the sums. */
import type { Clock } from '../base/clock.ts'
import { isGridError } from '../base/errors.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import type { StoragePeer } from './peer.ts'

export type StorageVerb = Exclude<keyof StoragePeer, 'id'>

/** Every verb, so that none can be forgotten. */
const verbs: Record<StorageVerb, true> = {
  ...{ have: true, putShare: true, getBlocks: true, prove: true, status: true },
  ...{ appendEntries: true, readLog: true },
  ...{ challenge: true, enter: true, touch: true, renew: true, listHolds: true, release: true },
}

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
    const counted: Record<string, unknown> = { id: peer.id }
    for (const verb of Object.keys(verbs) as StorageVerb[]) {
      const ask = peer[verb].bind(peer) as (...args: unknown[]) => Promise<unknown>
      counted[verb] = (...args: unknown[]) => this.#count(verb, args, () => ask(...args))
    }
    return counted as unknown as StoragePeer
  }

  async #count(
    verb: StorageVerb,
    args: readonly unknown[],
    ask: () => Promise<unknown>,
  ): Promise<unknown> {
    const count = this.#countOf(verb)
    const weight = verb === 'status' ? 0 : 1
    count.requests++
    count.underWay++
    this.#underWay += weight
    try {
      const answer = await ask()
      if (verb === 'putShare' && answer === 'stored')
        this.#inBytes += (args[2] as { shareBytes: number }).shareBytes
      if (verb === 'getBlocks') {
        const { header, blocks } = answer as { header: Uint8Array; blocks: Uint8Array }
        this.#outBytes += header.length + blocks.length
      }
      return answer
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

  #countOf(verb: StorageVerb): VerbCount {
    const known = this.#verbs.get(verb)
    if (known !== undefined) return known
    const count = { requests: 0, failed: 0, underWay: 0 }
    this.#verbs.set(verb, count)
    return count
  }
}
