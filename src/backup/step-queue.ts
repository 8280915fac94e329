/**
 * Steps that are carried out in their order, though some of them become ready long after those
 * behind them.
 */
export interface QueuedStep {
  /** Carries the step out. */
  run: () => void | Promise<void>
  /** Whether it can be by now; always, if absent. */
  isReady?: () => boolean
}

/** Steps that were carried out are let go so many at once. */
const tidyAfter = 1024

export class StepQueue {
  readonly #steps: QueuedStep[] = []
  /** Those before it have been carried out. */
  #first = 0

  get length(): number {
    return this.#steps.length - this.#first
  }

  /** Adds a step and carries out all that are ready. Gives a promise only if there is something to wait for. */
  push(step: QueuedStep): void | Promise<void> {
    if (this.length === 0 && step.isReady === undefined) return step.run()
    this.#steps.push(step)
    if (this.isReady) return this.runReady()
  }

  /** Carries out all that are ready, up to the first that is not. */
  async runReady(): Promise<void> {
    while (this.isReady) {
      await this.#steps[this.#first].run()
      if (++this.#first < tidyAfter) continue
      this.#steps.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Whether the first step can be carried out. */
  get isReady(): boolean {
    return this.length > 0 && this.#steps[this.#first].isReady?.() !== false
  }
}
