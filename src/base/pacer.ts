/** A rate that many share: each waits until what it wants may go, in the order in which they came. */
import { type Clock, sleep } from './clock.ts'

export interface PacerOptions {
  clock: Clock
  /** > 0. */
  bytesPerSecond: number
}

/** So much time's worth goes at once after a pause. */
const burstMs = 100
/** Timers take no delay of months. */
const longestSleepMs = 3_600_000

export class Pacer {
  readonly #clock: Clock
  readonly bytesPerSecond: number
  /** When all that was granted so far has gone, at the rate. */
  #freeAtMs = -Infinity

  constructor({ clock, bytesPerSecond }: PacerOptions) {
    if (!(bytesPerSecond > 0)) throw new RangeError('pacer: the rate must be positive')
    this.#clock = clock
    this.bytesPerSecond = bytesPerSecond
  }

  /** Resolves when `bytes` more may go. Rejects with the signal's reason; their time is lost then. */
  async take(bytes: number, options: { signal?: AbortSignal } = {}): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const startMs = Math.max(this.#freeAtMs, nowMs - burstMs)
    const goesAtMs = startMs + (bytes * 1000) / this.bytesPerSecond
    this.#freeAtMs = goesAtMs
    for (;;) {
      const leftMs = goesAtMs - this.#clock.monotonicMs()
      if (leftMs <= 0) return
      await sleep(this.#clock, Math.min(leftMs, longestSleepMs), options)
    }
  }
}
