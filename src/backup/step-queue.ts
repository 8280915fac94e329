/**
 * Steps that are carried out in their order, though some of them become ready long after those
 * behind them.
 */
export interface QueuedStep {
  /** Carries the step out. */
  run: () => void | Promise<void>
  /** Resolves when it can be; undefined if it can be at once. Must not reject. */
  ready?: Promise<void>
}

interface Waiting extends QueuedStep {
  isReady: boolean
}

export class StepQueue {
  #waiting: Waiting[] = []
  #next = 0

  get length(): number {
    return this.#waiting.length - this.#next
  }

  /** Adds a step and carries out all that are ready. Gives a promise only if there is something to wait for. */
  push(step: QueuedStep): void | Promise<void> {
    if (this.length === 0 && step.ready === undefined) return step.run()
    const waiting: Waiting = { ...step, isReady: step.ready === undefined }
    this.#waiting.push(waiting)
    void step.ready?.then(() => {
      waiting.isReady = true
    })
    if (this.#waiting[this.#next].isReady) return this.#runReady()
  }

  /** Waits for the first step, and carries out all that are ready then. */
  async advance(): Promise<void> {
    if (this.length === 0) return
    await this.#waiting[this.#next].ready
    this.#waiting[this.#next].isReady = true
    await this.#runReady()
  }

  async #runReady(): Promise<void> {
    while (this.length > 0 && this.#waiting[this.#next].isReady) {
      await this.#waiting[this.#next].run()
      this.#next++
    }
    this.#waiting = this.#waiting.slice(this.#next)
    this.#next = 0
  }
}
