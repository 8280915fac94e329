/** How much is done for holds each second, for all clients together; saved up for a minute. */
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { TokenBucket } from '../../base/token-bucket.ts'

/** Objects touched, and leases renewed. */
const touchesPerSecond = 20_000
/** Objects looked at for lists. */
const listedPerSecond = 50_000
/** What looking at a page of a list costs at least, in objects. */
const minPageCost = 64
const releasesPerSecond = 10

export class HoldRates {
  readonly #touches: TokenBucket
  readonly #lists: TokenBucket
  readonly #releases: TokenBucket

  constructor(clock: Clock) {
    const rate = (tokensPerSecond: number): TokenBucket =>
      new TokenBucket({ clock, tokensPerSecond, burst: 60 * tokensPerSecond })
    this.#touches = rate(touchesPerSecond)
    this.#lists = rate(listedPerSecond)
    this.#releases = rate(releasesPerSecond)
  }

  /** Throws E_RATE. */
  takeTouches(count: number): void {
    if (!this.#touches.tryTake(count)) throw new GridError('E_RATE', 'too many touches')
  }

  /** Whether a page of so many objects may be looked at now. */
  tryTakePage(objectCount: number): boolean {
    return this.#lists.tryTake(Math.max(objectCount, minPageCost))
  }

  /** Throws E_RATE. */
  takeRelease(): void {
    if (!this.#releases.tryTake(1)) throw new GridError('E_RATE', 'too many releases')
  }
}
