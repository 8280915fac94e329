/** Whether a server still writes: not if it is told so, and not once its medium has failed. */
import { GridError, isGridError } from '../base/errors.ts'
import type { Trace } from '../base/trace.ts'

export class Medium {
  readonly #trace: Trace
  #readOnly: boolean

  constructor(options: { trace: Trace; readOnly: boolean }) {
    this.#trace = options.trace
    this.#readOnly = options.readOnly
  }

  get readOnly(): boolean {
    return this.#readOnly
  }

  /** Takes nothing new from now on. */
  close(): void {
    this.#readOnly = true
  }

  /** Throws E_READ_ONLY. */
  checkWritable(): void {
    if (this.#readOnly) throw new GridError('E_READ_ONLY', 'this server takes nothing new')
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
