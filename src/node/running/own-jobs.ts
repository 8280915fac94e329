/**
 * What the operator of a running node asks of it over its socket and what may take longer than a request may:
 * it is begun by one, and asked after by others.
 */
import { asGridError, type ErrorCode, GridError } from '../../base/errors.ts'

/** What came of it; neither while it goes on. */
export interface JobOutcome<T = unknown> {
  report?: T
  error?: { code: ErrorCode; message: string }
}

export class OwnJobs {
  readonly #closing = new AbortController()
  #job = 0
  #outcome: JobOutcome = {}
  #running: Promise<void> | undefined

  /** Begins one, and tells its number. Throws E_BUSY while one goes on. */
  start(work: (options: { signal: AbortSignal }) => Promise<unknown>): number {
    if (this.#running !== undefined) throw new GridError('E_BUSY', 'something else is under way')
    this.#job++
    this.#outcome = {}
    this.#running = this.#run(work).finally(() => (this.#running = undefined))
    return this.#job
  }

  /** Throws E_ABSENT for any but the last. */
  outcome(job: number): JobOutcome {
    if (job === this.#job) return this.#outcome
    throw new GridError('E_ABSENT', 'this was asked of the node before it was started again')
  }

  /** Ends what goes on. */
  async close(): Promise<void> {
    this.#closing.abort(new GridError('E_CLOSED', 'this node has stopped'))
    await this.#running
  }

  async #run(work: (options: { signal: AbortSignal }) => Promise<unknown>): Promise<void> {
    try {
      this.#outcome = { report: await work({ signal: this.#closing.signal }) }
    } catch (error) {
      const { code, message } = asGridError(error, 'E_INTERNAL', 'it failed')
      this.#outcome = { error: { code, message } }
    }
  }
}
