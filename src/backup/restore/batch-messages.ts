/** What a crew of threads and its workers say to each other. Sealed bytes are transferred, not copied. */
import type { ErrorCode } from '../../base/errors.ts'
import type { BatchJob, BatchReply, ExtentJob, PlainTargetOptions } from './batch-run.ts'

export interface RestoreWorkerData {
  options: PlainTargetOptions
  /** Whether the adapter may be used. */
  hasNative: boolean
}

export type RestoreRequest = BatchJob | ExtentJob

export type RestoreReply =
  | ({ kind: 'done' } & BatchReply)
  | { kind: 'handled' }
  /** A GridError. */
  | { kind: 'failed'; code: ErrorCode; message: string }
  /** An error of the system, or a mistake. */
  | { kind: 'broke'; message: string; code?: string; syscall?: string }
