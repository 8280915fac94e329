/** Who does the heavy part of a restore: opening sealed bytes, and making files of them. */
import {
  type BatchOptions,
  type PlaceJob,
  type PlaceReply,
  runPlaceJob,
  runWriteJob,
  type WriteJob,
} from './batch-run.ts'

export interface BatchCrew {
  /** Takes the job's bytes over. Throws E_FILE where nothing can be written any more. */
  place(job: PlaceJob): Promise<PlaceReply>
  /** Takes the job's bytes over. Throws E_COMMIT, E_SIZE, and the system's error. */
  write(job: WriteJob): Promise<void>
  /** Ends threads. Nothing may be under way. */
  close(): Promise<void>
}

/** Does everything at once, on the calling thread. */
export class InlineCrew implements BatchCrew {
  readonly #options: BatchOptions

  constructor(options: BatchOptions) {
    this.#options = options
  }

  async place(job: PlaceJob): Promise<PlaceReply> {
    return runPlaceJob(job, this.#options)
  }

  async write(job: WriteJob): Promise<void> {
    runWriteJob(job)
  }

  async close(): Promise<void> {}
}
