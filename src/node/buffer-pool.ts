/** Memory for jobs of worker threads: lent within a budget, and kept for the next when it comes back. */
import { Budget } from '../base/limit.ts'

export interface Lease {
  bytes: ArrayBuffer
  /** Ends the use of the budget; keeps `back`, if given, for a later job. Twice does nothing. */
  giveBack: (back: ArrayBuffer | undefined) => void
}

/** Smaller buffers are cheaper to make anew than to keep. */
const reuseFromBytes = 2 ** 20

/** What is lent is this much longer than asked for, at most: one buffer serves jobs of many lengths. */
const grainBytes = 2 ** 20

export class BufferPool {
  readonly #budget: Budget
  readonly #spare: ArrayBuffer[] = []

  /** @param totalBytes - lent at once; a single lease of more is granted when nothing else is lent */
  constructor(totalBytes: number) {
    this.#budget = new Budget(totalBytes)
  }

  /** A buffer of `length` or somewhat more, one used before if there is; what is in it is not defined. */
  async take(length: number, options: { signal?: AbortSignal }): Promise<Lease> {
    const room = length < reuseFromBytes ? length : Math.ceil(length / grainBytes) * grainBytes
    const giveBack = await this.#lend(room, options)
    const fitting = this.#spare.findLastIndex((spare) => spare.byteLength === room)
    const [reused] = fitting < 0 ? [] : this.#spare.splice(fitting, 1)
    this.#makeRoom()
    return { bytes: reused ?? new ArrayBuffer(room), giveBack }
  }

  /** Counts `bytes`, which somebody else made, as lent. */
  async count(bytes: ArrayBuffer, options: { signal?: AbortSignal }): Promise<Lease> {
    const release = await this.#lend(bytes.byteLength, options)
    return { bytes, giveBack: () => release(undefined) }
  }

  async #lend(length: number, options: { signal?: AbortSignal }): Promise<Lease['giveBack']> {
    const release = await this.#budget.take(length, options)
    let held = true
    return (back) => {
      if (!held) return
      held = false
      release()
      if (back?.byteLength !== length || length < reuseFromBytes) return
      this.#spare.push(back)
      this.#makeRoom()
    }
  }

  /** What is lent and what is spare stay within the budget together. */
  #makeRoom(): void {
    let spareBytes = this.#spare.reduce((sum, { byteLength }) => sum + byteLength, 0)
    while (spareBytes > this.#budget.free) spareBytes -= this.#spare.shift()?.byteLength ?? 0
  }
}
