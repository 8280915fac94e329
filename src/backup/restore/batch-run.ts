/** What a thread does with a batch of files: everything at once, and nothing waits for anything. */
import { GridError, isGridError } from '../../base/errors.ts'
import type { ErrorCode } from '../../base/errors.ts'
import { openFileStream } from '../../encoding/file-stream.ts'
import { sealedLength } from '../../encoding/seal.ts'
import { compareEntry, fileDifference } from '../../local/compare-entry.ts'
import type { EntryFacts } from '../../local/facts.ts'
import { detailOf, type Notice } from '../../local/notice.ts'
import { OpenDirectory } from '../../local/open-directory.ts'
import { type Outcome, placeNow, type Spot } from '../../local/place-entry.ts'
import { writeSparsely } from '../../local/sparse-writer.ts'
import type { TargetHandle } from '../../local/target-directory.ts'
import { pathBelow } from '../../local/target-directory.ts'
import { TargetRun, type TargetOptions } from '../../local/target-run.ts'
import type { SealedRun } from '../../node/content/tree-store.ts'
import { type BatchContent, type BatchMessage, itemsOf } from './file-batch.ts'

/** Options of a target that another thread may be told. */
export type PlainTargetOptions = Pick<
  TargetOptions,
  'overwrite' | 'resume' | 'delete' | 'trusted' | 'numericIds' | 'beyondFree' | 'sync'
>

/** To make what is in a batch, or to compare it with what is there. */
export type BatchPurpose = 'place' | 'compare'

/** Files, links and devices in directories that are open. */
export interface BatchJob {
  kind: BatchPurpose
  directories: readonly TargetHandle[]
  batch: BatchMessage
  /** Undefined where the batch has all content in it. */
  sealed: SealedRun | undefined
}

/** One extent of a large file, to be written or looked for there. */
export interface ExtentJob {
  kind: 'write' | 'check'
  /** Open, and stays so until the reply. */
  fd: number
  /** Where in the file it goes. */
  position: number
  content: BatchContent
  sealed: SealedRun
}

/** A notice as it travels. */
export interface TravellingNotice extends Omit<Notice, 'cause'> {
  cause?: { code: ErrorCode; message: string } | undefined
}

export interface BatchReply {
  /** Of each item of the batch, in order; of what is compared, `finished` or `refused`. */
  outcomes: Outcome[]
  notices: TravellingNotice[]
}

/**
 * After so many files of one directory, and at its first in a batch, it is looked whether the
 * directory is where it was: the look takes as long as a tenth of a file.
 */
const filesBetweenLooks = 16

/** What a target's options turn into where a batch is run. */
export type BatchOptions = Omit<TargetOptions, 'report'>

/** Throws E_FILE where nothing can be written any more. */
export function runBatchJob(job: BatchJob, options: BatchOptions): BatchReply {
  const notices: TravellingNotice[] = []
  const run = new TargetRun(
    { ...options, report: (notice) => notices.push(travelling(notice)) },
    { root: undefined, home: undefined, foldsNames: false },
  )
  const directories = job.directories.map((handle) => spotsIn(run, handle))
  const handle = job.kind === 'place' ? placeNow : compareNow
  const outcomes: Outcome[] = []
  for (const { directory, facts, content } of itemsOf(job.batch)) {
    const spot = directories[directory](facts.name)
    outcomes.push(handle(spot, facts, () => contentOf(content, job.sealed)))
  }
  return { outcomes, notices }
}

/** Throws E_COMMIT, E_SIZE; E_BLOCK where the file holds something else; the system's error. */
export function runExtentJob({ kind, fd, position, content, sealed }: ExtentJob): void {
  const bytes = contentOf(content, sealed)
  if (kind === 'write') writeSparsely(fd, position, bytes)
  else {
    const at = fileDifference(fd, position, bytes)
    if (at !== undefined) throw new GridError('E_BLOCK', `content at byte ${at}`)
  }
}

function compareNow(
  { run, directory, path }: Spot,
  facts: EntryFacts,
  content: () => Uint8Array,
): Outcome {
  const { native, numericIds = false } = run.options
  try {
    const comparing = { native, owners: run.owners, numericIds }
    const found = compareEntry(directory!, facts, content, comparing)
    if (found === undefined) return 'finished'
    run.report(found.code, path, found.detail)
  } catch (error) {
    if (isGridError(error)) run.report('content', path, error.code, error)
    else run.report('failed', path, detailOf(error), error)
  }
  return 'refused'
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
  const { parent, path, isNew } = handle
  let left = 0
  const isInPlace = (): boolean => {
    if (parent === undefined || left-- > 0) return true
    left = 0
    if (!directory.isIn({ identity: parent })) return false
    left = filesBetweenLooks
    return true
  }
  return (name) => ({ run, directory, above: [], path: pathBelow(path, name), isInPlace, isNew })
}

function travelling({ code, path, detail, cause }: Notice): TravellingNotice {
  return {
    code,
    path: path.slice(),
    ...(detail !== undefined && { detail }),
    ...(isGridError(cause) && { cause: { code: cause.code, message: cause.message } }),
  }
}
