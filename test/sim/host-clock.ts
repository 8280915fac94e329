/** The clock of one life of one host, on the common virtual time: its timers die with the process. */
import type { Clock } from '../../src/base/clock.ts'

export class HostClock implements Clock {
  readonly #clock: Clock
  #alive = true
  #frozen = false
  #held: (() => void)[] = []
  /** How far the wall clock is ahead of the true time. */
  skewMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.skewMs
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, action: () => void): () => void {
    if (!this.#alive) return () => {}
    let wanted = true
    const fire = (): void => {
      if (!this.#alive || !wanted) return
      if (this.#frozen) this.#held.push(fire)
      else action()
    }
    const cancel = this.#clock.after(delayMs, fire)
    return () => {
      wanted = false
      cancel()
    }
  }

  /** Ends this life: no timer fires, and none is taken. */
  stop(): void {
    this.#alive = false
    this.#held = []
  }

  /** Holds every timer back, as for a stopped process or a machine that swaps itself to death. */
  freeze(): void {
    this.#frozen = true
  }

  /** Lets what was held back happen now, one event after the other. */
  thaw(): void {
    this.#frozen = false
    const held = this.#held
    this.#held = []
    for (const fire of held) this.#clock.after(0, fire)
  }
}
