/** A queue that many fill and one loop empties, so that decisions are made in one place. */
import type { Clock } from './clock.ts'

export class EventQueue<T> {
  readonly #clock: Clock
  readonly #events: T[] = []
  #wake: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  push(event: T): void {
    this.#events.push(event)
    this.#wake?.()
  }

  /**
   * All events that have come since, waiting up to `patienceMs` for a first one; empty when none
   * came. Rejects with the signal's reason.
   */
  async take(patienceMs: number, options: { signal?: AbortSignal } = {}): Promise<T[]> {
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#events.length === 0) await this.#wait(patienceMs, signal)
    signal?.throwIfAborted()
    return this.#events.splice(0)
  }

  #wait(patienceMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        signal?.removeEventListener('abort', done)
        this.#wake = undefined
        resolve()
      }
      const cancel = this.#clock.after(patienceMs, done)
      signal?.addEventListener('abort', done, { once: true })
      this.#wake = done
    })
  }
}
