/** A clock for runs whose walks take no time: what is due after a certain wait comes when it is told to. */
import type { Clock } from '../../../src/base/clock.ts'

export class StepClock implements Clock {
  /** The wait that does not end by itself; longer than any other. */
  readonly waitMs: number = 2 ** 30
  readonly #clock: Clock
  #action: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, action: () => void): () => void {
    if (delayMs !== this.waitMs) return this.#clock.after(delayMs, action)
    this.#action = action
    return () => {
      if (this.#action === action) this.#action = undefined
    }
  }

  /** Ends the wait. */
  fire(): void {
    this.#action?.()
  }
}
