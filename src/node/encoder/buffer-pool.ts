/** Memory for jobs of worker threads: lent within a budget, and kept for the next when it comes back. */
import { Budget } from '../../base/limit.ts'

export interface Lease {
  bytes: ArrayBuffer
  /** Ends the use of the budget; keeps `back`, if given, for a later job. Twice does nothing. */
  giveBack: (back: ArrayBuffer | undefined) => void
}

/** Smaller buffers are cheaper to make anew than to keep. */
const reuseFromBytes = 2 ** 20

/** Lengths are rounded up to a multiple of this: one buffer serves jobs of many lengths. */
const grainBytes = 2 ** 20

export class BufferPool {
  readonly #budget: Budget
  readonly #spare: ArrayBuffer[] = []

  /** @param totalBytes - lent at once; a single lease of more is granted when nothing else is lent */
  constructor(totalBytes: number) {
    this.#budget = new Budget(totalBytes)
  }

  /** A buffer of at least `length`, one used before if there is; what is in it is not defined. */
  async take(length: number, options: { signal?: AbortSignal }): Promise<Lease> {
    const room = length < reuseFromBytes ? length : Math.ceil(length / grainBytes) * grainBytes
    const giveBack = await this.#lend(room, options)
    const bytes = this.#smallestSpare(room) ?? new ArrayBuffer(room)
    this.#makeRoom()
    return { bytes, giveBack }
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
      if (back === undefined || back.byteLength < reuseFromBytes) return
      this.#spare.push(back)
      this.#makeRoom()
    }
  }

  /** Takes the shortest that is long enough, if it is worth it. */
  #smallestSpare(length: number): ArrayBuffer | undefined {
    if (length < reuseFromBytes) return undefined
    const fitting = this.#spare.filter(({ byteLength }) => byteLength >= length)
    const [first] = fitting.sort((a, b) => a.byteLength - b.byteLength)
    if (first !== undefined) this.#spare.splice(this.#spare.indexOf(first), 1)
    return first
  }

  /** What is lent and what is spare stay within the budget together. */
  #makeRoom(): void {
    let spareBytes = this.#spare.reduce((sum, { byteLength }) => sum + byteLength, 0)
    while (spareBytes > this.#budget.free) spareBytes -= this.#spare.shift()?.byteLength ?? 0
  }
}
