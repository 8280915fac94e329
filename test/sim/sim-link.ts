/** One direction between two hosts: how long packets take, and what befalls them on the way. */
import type { SimRandom } from './sim-random.ts'

/** Something that lies in wait for the byte that comes after `afterBytes` others. */
export interface Ambush {
  /** `cut`: the connection breaks there; `flip`: one bit of it changes. */
  kind: 'cut' | 'flip'
  afterBytes: number
}

export interface Packet {
  bytes: Uint8Array
  /** The connection ends with this packet. */
  last: boolean
}

const packetBytes = 64 * 1024

export class Link {
  readonly #random: SimRandom
  readonly #latencyMs: number
  readonly #onFault: (kind: string) => void
  readonly #ambushes: Ambush[] = []
  readonly #waiting: (() => void)[] = []
  #blocked = false
  /** Added to the way of each packet. */
  extraMs = 0
  /** A byte or a few at a time, one packet in a second. */
  dripping = false

  constructor(random: SimRandom, latencyMs: number, onFault: (kind: string) => void) {
    this.#random = random
    this.#latencyMs = latencyMs
    this.#onFault = onFault
  }

  get blocked(): boolean {
    return this.#blocked
  }

  block(): void {
    this.#blocked = true
  }

  /** Lets packets through again; those lost before are sent anew. */
  unblock(): void {
    this.#blocked = false
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Calls `wake` when packets pass again. */
  onceOpen(wake: () => void): void {
    this.#waiting.push(wake)
  }

  lieInWait(ambush: Ambush): void {
    this.#ambushes.push({ ...ambush })
  }

  /** Takes away what lies in wait. */
  disarm(): void {
    this.#ambushes.length = 0
  }

  /** As on the first day. */
  heal(): void {
    this.disarm()
    this.extraMs = 0
    this.dripping = false
    this.unblock()
  }

  /** How many of `queuedBytes` go into the next packet: most often all that fit, at times any number. */
  packetSize(queuedBytes: number): number {
    if (this.dripping) return Math.min(queuedBytes, this.#random.between(1, 8))
    const most = Math.min(queuedBytes, packetBytes)
    return this.#random.chance(0.8) ? most : this.#random.between(1, most)
  }

  transitMs(): number {
    if (this.dripping) return 1000
    return this.extraMs + this.#latencyMs * (0.5 + this.#random.unit())
  }

  /** What arrives of a packet; `bytes` may be changed in place. */
  pass(bytes: Uint8Array): Packet {
    let end = bytes.length
    for (const ambush of [...this.#ambushes]) {
      if (ambush.afterBytes >= end) {
        ambush.afterBytes -= end
        continue
      }
      this.#ambushes.splice(this.#ambushes.indexOf(ambush), 1)
      this.#onFault(ambush.kind)
      if (ambush.kind === 'flip') bytes[ambush.afterBytes] ^= 1 << this.#random.below(8)
      else return { bytes: bytes.subarray(0, ambush.afterBytes), last: true }
      end = bytes.length
    }
    return { bytes, last: false }
  }
}
