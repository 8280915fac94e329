/** A rate, as a token bucket: so many tokens a second, saved up to a burst. */
import type { Clock } from './clock.ts'

export interface TokenBucketOptions {
  clock: Clock
  tokensPerSecond: number
  /** The most that is saved up; it starts full. */
  burst: number
}

export class TokenBucket {
  readonly #clock: Clock
  readonly #tokensPerSecond: number
  readonly #burst: number
  #tokens: number
  #filledAtMs: number

  constructor({ clock, tokensPerSecond, burst }: TokenBucketOptions) {
    if (!(tokensPerSecond >= 0) || !(burst >= 0))
      throw new RangeError('token bucket: negative rate')
    this.#clock = clock
    this.#tokensPerSecond = tokensPerSecond
    this.#burst = burst
    this.#tokens = burst
    this.#filledAtMs = clock.monotonicMs()
  }

  /** Takes `amount` and says true, or takes nothing; more than a burst is never to be had. */
  tryTake(amount: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    const gained = ((nowMs - this.#filledAtMs) / 1000) * this.#tokensPerSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#filledAtMs = nowMs
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }
}
