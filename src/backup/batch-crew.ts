/** Who does the heavy part of a restore: opening sealed bytes, and making files of them. */
import { contentOf } from './batch-run.ts'
import { type BatchOptions, type PlaceJob, type PlaceReply, runPlaceJob } from './batch-run.ts'
import { writeSparsely } from '../local/sparse-writer.ts'
import type { SealedRun } from '../node/tree-store.ts'
import type { BatchContent } from './file-batch.ts'

/** One extent of a large file. */
export interface WriteJob {
  kind: 'write'
  /** Open, and stays so until the reply. */
  fd: number
  /** Where in the file it goes. */
  position: number
  content: BatchContent
  sealed: SealedRun
}

export interface BatchCrew {
  /** Takes `job.sealed` over. Throws E_FILE where nothing can be written any more. */
  place(job: PlaceJob): Promise<PlaceReply>
  /** Takes `job.sealed` over. Throws E_COMMIT, E_SIZE, and the system's error. */
  write(job: WriteJob): Promise<void>
  /** Ends threads; what is under way is not waited for. */
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

export function runWriteJob({ fd, position, content, sealed }: WriteJob): void {
  writeSparsely(fd, position, contentOf(content, sealed))
}
