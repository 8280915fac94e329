/**
 * Sweeps that the operator of a running node asks for over its socket (docs/specs/holds.md, "Quarantine
 * and deletion"). One may take longer than a request may, so it is begun by one and asked after by others.
 */
import { asGridError, type ErrorCode, GridError } from '../../base/errors.ts'
import type { Trace } from '../../base/trace.ts'
import type { PeerSweepOptions } from '../../storage/holds/kept-holds.ts'
import type { SweepReport } from '../../storage/holds/sweeper.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'

/** What the operator wants. */
export interface SweepWish {
  dryRun: boolean
  /** Up to how many shares may go, 0 … 2^53 − 1. */
  consentShares: number
  clockIsRight: boolean
}

/** What came of it; neither while it goes on. */
export interface SweepOutcome {
  report?: SweepReport
  error?: { code: ErrorCode; message: string }
}

export class SweepJobs {
  readonly #storage: LocalPeer
  readonly #trace: Trace
  readonly #closing = new AbortController()
  #job = 0
  #outcome: SweepOutcome = {}
  #running: Promise<void> | undefined

  constructor(storage: LocalPeer, trace: Trace) {
    this.#storage = storage
    this.#trace = trace
  }

  /** Begins one, and tells its number. Throws E_BUSY while one goes on. */
  start(wish: SweepWish): number {
    if (this.#running !== undefined) throw new GridError('E_BUSY', 'a sweep is under way')
    this.#job++
    this.#outcome = {}
    this.#running = this.#run(wish).finally(() => (this.#running = undefined))
    return this.#job
  }

  /** Throws E_ABSENT for any but the last. */
  outcome(job: number): SweepOutcome {
    if (job === this.#job) return this.#outcome
    throw new GridError('E_ABSENT', 'no such sweep')
  }

  /** Ends what goes on, between two objects. */
  async close(): Promise<void> {
    this.#closing.abort(new GridError('E_CLOSED', 'this node has stopped'))
    await this.#running
  }

  async #run(wish: SweepWish): Promise<void> {
    try {
      const { signal } = this.#closing
      this.#outcome = {
        report: await sweepAndTell(this.#storage, this.#trace, { ...wish, signal }),
      }
    } catch (error) {
      const { code, message } = asGridError(error, 'E_INTERNAL', 'the sweep failed')
      this.#outcome = { error: { code, message } }
    }
  }
}

/** Sweeps, and has the node's events say what came of it. Throws what `sweep` throws. */
export async function sweepAndTell(
  storage: LocalPeer,
  trace: Trace,
  options: PeerSweepOptions,
): Promise<SweepReport> {
  const report = await storage.sweep(options)
  if (options.dryRun === true) return report
  const { deletedShares, deletedBytes, due, refusal } = report
  if (deletedShares > 0) trace.event('sweep.deleted', { deletedShares, deletedBytes })
  if (refusal !== undefined) trace.event('sweep.refused', { refusal, dueShares: due.shares })
  return report
}
