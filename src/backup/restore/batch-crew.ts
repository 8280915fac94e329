/** Who does the heavy part of a restore: opening sealed bytes, and making files of them. */
import {
  type BatchOptions,
  type BatchJob,
  type BatchReply,
  type ExtentJob,
  runBatchJob,
  runExtentJob,
} from './batch-run.ts'

export interface BatchCrew {
  /** Takes the job's bytes over. Throws E_FILE where nothing can be written any more. */
  run(job: BatchJob): Promise<BatchReply>
  /** Takes the job's bytes over. Throws as `runExtentJob`. */
  handle(job: ExtentJob): Promise<void>
  /** Ends threads. Nothing may be under way. */
  close(): Promise<void>
}

/** Does everything at once, on the calling thread. */
export class InlineCrew implements BatchCrew {
  readonly #options: BatchOptions

  constructor(options: BatchOptions) {
    this.#options = options
  }

  async run(job: BatchJob): Promise<BatchReply> {
    return runBatchJob(job, this.#options)
  }

  async handle(job: ExtentJob): Promise<void> {
    runExtentJob(job)
  }

  async close(): Promise<void> {}
}
