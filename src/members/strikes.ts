/** Who has come with a wrong ticket too often, by network address: bounded, whoever comes. */
import type { Clock } from '../base/clock.ts'

const mostStrikes = 3
const forgetMs = 3600 * 1000
const maxAddresses = 1024

export class Strikes {
  readonly #clock: Clock
  /** In the order of their last strike. */
  readonly #struck = new Map<string, { count: number; untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether `address` has none left. */
  isOut(address: string): boolean {
    const known = this.#struck.get(address)
    return known !== undefined && known.count >= mostStrikes && !this.#isOver(known.untilMs)
  }

  add(address: string): void {
    const known = this.#struck.get(address)
    const count = known === undefined || this.#isOver(known.untilMs) ? 0 : known.count
    this.#struck.delete(address)
    const untilMs = this.#clock.monotonicMs() + forgetMs
    this.#struck.set(address, { count: count + 1, untilMs })
    if (this.#struck.size > maxAddresses) {
      this.#struck.delete(this.#struck.keys().next().value!)
    }
  }

  #isOver(untilMs: number): boolean {
    return this.#clock.monotonicMs() >= untilMs
  }
}
