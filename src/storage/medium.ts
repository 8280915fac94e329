/**
 * Whether a server still writes: not if it is told so, and not once its medium has failed. One that is being
 * emptied takes nothing new, and goes on with the logs that it keeps: those that count on it must be able to move.
 */
import { GridError, isGridError } from '../base/errors.ts'
import type { Trace } from '../base/trace.ts'

export class Medium {
  readonly #trace: Trace
  #readOnly: boolean
  #isClosed = false

  constructor(options: { trace: Trace; readOnly: boolean }) {
    this.#trace = options.trace
    this.#readOnly = options.readOnly
  }

  /** Whether nothing new is taken. */
  get readOnly(): boolean {
    return this.#readOnly || this.#isClosed
  }

  /** Whether not even what is kept may grow. */
  get isFrozen(): boolean {
    return this.#readOnly
  }

  /** Takes nothing new from now on. */
  close(): void {
    this.#isClosed = true
  }

  /** Throws E_READ_ONLY. */
  checkWritable(): void {
    if (this.readOnly) throw new GridError('E_READ_ONLY', 'this server takes nothing new')
  }

  /** Watches a step of writing: once the medium has failed, nothing more is written to it. */
  async watch<T>(step: Promise<T>): Promise<T> {
    try {
      return await step
    } catch (error) {
      if (isGridError(error, 'E_IO') && error.facts.failing === true && !this.#readOnly) {
        this.#readOnly = true
        this.#trace.event('storage.read-only', { cause: error.message })
      }
      throw error
    }
  }
}
