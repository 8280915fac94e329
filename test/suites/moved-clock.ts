/** The machine's clock, moved on by as much as a test likes. */
import { SystemClock } from '../../src/base/clock.ts'

const dayMs = 24 * 3600 * 1000

export class MovedClock extends SystemClock {
  #aheadMs = 0
  #jumpedMs = 0

  override nowMs(): number {
    return super.nowMs() + this.#aheadMs + this.#jumpedMs
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#aheadMs
  }

  /** Lets days go by. */
  moveDays(days: number): void {
    this.#aheadMs += days * dayMs
  }

  /** Sets the wall clock alone. */
  jumpDays(days: number): void {
    this.#jumpedMs += days * dayMs
  }
}
