/** Memory for jobs of worker threads: lent within a budget, and kept for the next when it comes back. */
import { Budget } from '../base/limit.ts'

export interface Lease {
  bytes: ArrayBuffer
  /** Ends the use of the budget; keeps `back`, if given, for a later job. Twice does nothing. */
  giveBack: (back: ArrayBuffer | undefined) => void
}

/** Smaller buffers are cheaper to make anew than to keep. */
const reuseFromBytes = 2 ** 20

export class BufferPool {
  readonly #budget: Budget
  readonly #spare: ArrayBuffer[] = []

  /** @param totalBytes - lent at once; a single lease of more is granted when nothing else is lent */
  constructor(totalBytes: number) {
    this.#budget = new Budget(totalBytes)
  }

  /** A buffer of `length`, one used before if there is; what is in it is not defined. */
  async take(length: number, options: { signal?: AbortSignal }): Promise<Lease> {
    const giveBack = await this.#lend(length, options)
    const fitting = this.#spare.findLastIndex((spare) => spare.byteLength === length)
    const [reused] = fitting < 0 ? [] : this.#spare.splice(fitting, 1)
    return { bytes: reused ?? new ArrayBuffer(length), giveBack }
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
      if (back?.byteLength === length && length >= reuseFromBytes) this.#keep(back)
      release()
    }
  }

  #keep(bytes: ArrayBuffer): void {
    this.#spare.push(bytes)
    const total = this.#spare.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (total > this.#budget.total) this.#spare.shift()
  }
}
