/** What a thread does with a batch of files: everything at once, and nothing waits for anything. */
import { GridError, isGridError } from '../base/errors.ts'
import type { ErrorCode } from '../base/errors.ts'
import { openFileStream } from '../encoding/file-stream.ts'
import { sealedLength } from '../encoding/seal.ts'
import type { Notice } from '../local/notice.ts'
import { OpenDirectory } from '../local/open-directory.ts'
import { type Outcome, placeNow, type Spot } from '../local/place-entry.ts'
import type { TargetHandle } from '../local/target-directory.ts'
import { pathBelow } from '../local/target-directory.ts'
import { TargetRun, type TargetOptions } from '../local/target-run.ts'
import type { SealedRun } from '../node/tree-store.ts'
import { type BatchContent, type BatchMessage, itemsOf } from './file-batch.ts'

/** Options of a target that another thread may be told. */
export type PlainTargetOptions = Pick<
  TargetOptions,
  'overwrite' | 'resume' | 'delete' | 'trusted' | 'numericIds' | 'beyondFree' | 'sync'
>

/** Files, links and devices to make in directories that are open. */
export interface PlaceJob {
  kind: 'place'
  directories: readonly TargetHandle[]
  batch: BatchMessage
  /** Undefined where the batch has all content in it. */
  sealed: SealedRun | undefined
}

/** A notice as it travels. */
export interface TravellingNotice extends Omit<Notice, 'cause'> {
  cause?: { code: ErrorCode; message: string } | undefined
}

export interface PlaceReply {
  /** Of each item of the batch, in order. */
  outcomes: Outcome[]
  notices: TravellingNotice[]
}

/** What a target's options turn into where a batch is run. */
export type BatchOptions = Omit<TargetOptions, 'report'>

/** Throws E_FILE where nothing can be written any more. */
export function runPlaceJob(job: PlaceJob, options: BatchOptions): PlaceReply {
  const notices: TravellingNotice[] = []
  const run = new TargetRun(
    { ...options, report: (notice) => notices.push(travelling(notice)) },
    { root: undefined, home: undefined, foldsNames: false },
  )
  const directories = job.directories.map((handle) => spotsIn(run, handle))
  const outcomes: Outcome[] = []
  for (const { directory, facts, content } of itemsOf(job.batch)) {
    const spot = directories[directory](facts.name)
    outcomes.push(placeNow(spot, facts, () => contentOf(content, job.sealed)))
  }
  return { outcomes, notices }
}

/** The plaintext of an item. Throws E_COMMIT, E_SIZE. */
export function contentOf(content: BatchContent, sealed: SealedRun | undefined): Uint8Array {
  if (content instanceof Uint8Array) return content
  if (sealed === undefined) throw new RangeError('batch: no sealed bytes beside it')
  const start = content.offset - sealed.startByte
  const end = start + sealedLength(content.storedBytes)
  return openFileStream(sealed.bytes.subarray(start, end), content)
}

/** The notice as it was before it travelled. */
export function arrived({ cause, ...notice }: TravellingNotice): Notice {
  return cause === undefined
    ? notice
    : { ...notice, cause: new GridError(cause.code, cause.message) }
}

function spotsIn(run: TargetRun, handle: TargetHandle): (name: Uint8Array) => Spot {
  const directory = OpenDirectory.borrowed(handle.directory)
  const { parent, path } = handle
  const isInPlace = (): boolean => parent === undefined || directory.isIn({ identity: parent })
  return (name) => ({ run, directory, above: [], path: pathBelow(path, name), isInPlace })
}

function travelling({ code, path, detail, cause }: Notice): TravellingNotice {
  return {
    code,
    path: path.slice(),
    ...(detail !== undefined && { detail }),
    ...(isGridError(cause) && { cause: { code: cause.code, message: cause.message } }),
  }
}
