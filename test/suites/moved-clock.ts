/** The machine's clock, moved on by as much as a test likes. */
import { SystemClock } from '../../src/base/clock.ts'

export class MovedClock extends SystemClock {
  #aheadMs = 0

  override nowMs(): number {
    return super.nowMs() + this.#aheadMs
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#aheadMs
  }

  moveDays(days: number): void {
    this.#aheadMs += days * 24 * 3600 * 1000
  }
}
