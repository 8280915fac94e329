/** Who has come with a wrong ticket too often, by the origin they came from: bounded, whoever comes. */
import type { Clock } from '../base/clock.ts'

const mostStrikes = 3
const forgetMs = 3600 * 1000
const maxOrigins = 1024

export class Strikes {
  readonly #clock: Clock
  /** In the order of their last strike. */
  readonly #struck = new Map<string, { count: number; untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether `origin` has none left. */
  isOut(origin: string): boolean {
    const known = this.#struck.get(origin)
    return known !== undefined && known.count >= mostStrikes && !this.#isOver(known.untilMs)
  }

  add(origin: string): void {
    const known = this.#struck.get(origin)
    const count = known === undefined || this.#isOver(known.untilMs) ? 0 : known.count
    this.#struck.delete(origin)
    const untilMs = this.#clock.monotonicMs() + forgetMs
    this.#struck.set(origin, { count: count + 1, untilMs })
    if (this.#struck.size > maxOrigins) {
      this.#struck.delete(this.#struck.keys().next().value!)
    }
  }

  #isOver(untilMs: number): boolean {
    return this.#clock.monotonicMs() >= untilMs
  }
}
