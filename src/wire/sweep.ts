/** Many deadlines on one timer, which runs only while there is something to watch. */
import type { Clock } from '../base/clock.ts'

export interface Watched {
  /** When it expires, in ms of the monotonic clock; it may move later without notice, never earlier. */
  dueMs(): number
  /** Called once after that time; the item has been removed by then. */
  expire(): void
}

export class Sweep {
  readonly #clock: Clock
  readonly #items = new Set<Watched>()
  #armedMs = Infinity
  #disarm: () => void = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(item: Watched): void {
    this.#items.add(item)
    const dueMs = item.dueMs()
    if (dueMs < this.#armedMs) this.#arm(dueMs)
  }

  delete(item: Watched): void {
    if (!this.#items.delete(item) || this.#items.size > 0) return
    this.#disarm()
    this.#armedMs = Infinity
  }

  #arm(dueMs: number): void {
    this.#disarm()
    this.#armedMs = dueMs
    const delayMs = Math.max(1, Math.ceil(dueMs - this.#clock.monotonicMs()))
    this.#disarm = this.#clock.after(delayMs, () => this.#run())
  }

  #run(): void {
    this.#armedMs = Infinity
    const nowMs = this.#clock.monotonicMs()
    let nextMs = Infinity
    for (const item of [...this.#items]) {
      const dueMs = item.dueMs()
      if (dueMs <= nowMs) {
        this.#items.delete(item)
        item.expire()
      } else {
        nextMs = Math.min(nextMs, dueMs)
      }
    }
    // `expire` may have added items and armed for them
    if (this.#items.size > 0 && nextMs < this.#armedMs) this.#arm(nextMs)
  }
}
