/** How many shares nobody holds any more. */
import { type Clock, sleep } from '../../base/clock.ts'
import type { StorageIndex } from '../request.ts'
import { isQuarantined } from './held-object.ts'
import type { HoldIndex } from './hold-index.ts'

const pageObjects = 4096
/** A large store is not counted again before. */
const freshMs = 10 * 60 * 1000

/** Counts by looking at all objects: leases end without anything being written of it. */
export class QuarantineCount {
  readonly #index: HoldIndex
  readonly #clock: Clock
  #counting: Promise<number> | undefined
  #staleMs = -Infinity

  constructor(index: HoldIndex, clock: Clock) {
    this.#index = index
    this.#clock = clock
  }

  /** As at `nowMs`; of a store of more than a page, as it was at most ten minutes before. */
  count(nowMs: number): Promise<number> {
    if (this.#counting === undefined || this.#clock.monotonicMs() >= this.#staleMs) {
      this.#staleMs = Infinity
      this.#counting = this.#count(nowMs)
      this.#counting.catch(() => (this.#staleMs = -Infinity))
    }
    return this.#counting
  }

  async #count(nowMs: number): Promise<number> {
    let count = 0
    let pages = 0
    let after: StorageIndex | undefined
    for (;;) {
      const { objects, complete } = this.#index.page({ after, limit: pageObjects })
      for (const { object } of objects) {
        if (isQuarantined(object, nowMs)) count += object.shares.length
      }
      pages++
      if (complete) break
      after = objects.at(-1)?.storageIndex
      await sleep(this.#clock, 0)
    }
    this.#staleMs = pages === 1 ? -Infinity : this.#clock.monotonicMs() + freshMs
    return count
  }
}
