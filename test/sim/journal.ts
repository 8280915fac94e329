/** All that happened in a run, in order: kept as a hash, by which two runs are compared, or written out. */
import { createHash, type Hash } from 'node:crypto'
import type { Clock } from '../../src/base/clock.ts'

export class Journal {
  readonly #clock: Clock
  readonly #hash: Hash = createHash('sha256')
  readonly #print: ((line: string) => void) | undefined

  /** `print` is given each line as it is written. */
  constructor(clock: Clock, print?: (line: string) => void) {
    this.#clock = clock
    this.#print = print
  }

  write(who: string, what: string, facts?: unknown): void {
    const seconds = (this.#clock.monotonicMs() / 1000).toFixed(6)
    const line = `${seconds} ${who}: ${what}${facts === undefined ? '' : ` ${JSON.stringify(facts)}`}`
    this.#hash.update(line)
    this.#print?.(line)
  }

  /** The hash of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}
