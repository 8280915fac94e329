/** A restore as the command line does it: what of a snapshot goes where, with progress and notices. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { concat, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { type BatchCrew, InlineCrew } from '../backup/restore/batch-crew.ts'
import {
  type RestoreCount,
  restoreEntry,
  type RestoreOptions,
  restoreTree,
} from '../backup/restore/restore.ts'
import { usefulRestoreThreads } from '../backup/restore/restore-thread.ts'
import { WorkerCrew } from '../backup/restore/worker-crew.ts'
import { type CheckCount, checkEntry, checkTree } from '../backup/restore/restore-check.ts'
import { entryAt } from '../backup/snapshot-tree.ts'
import { formatPath } from '../files/path.ts'
import { factsOf } from '../local/facts.ts'
import { openTarget } from '../local/local-target.ts'
import { nativeForMuch } from './heap.ts'
import type { Selection } from '../local/selection.ts'
import type { TargetOptions } from '../local/target-run.ts'
import type { SnapshotTotals } from '../log/snapshot-body.ts'
import type { Grid } from '../node/grid.ts'
import { directoryOfCap } from '../tree/directory-cap.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import { isDirectory } from '../tree/same-entry.ts'
import type { Context } from './command.ts'
import type { NoticeLines } from './notice-lines.ts'
import type { SnapshotPlace } from './snapshot-place.ts'

export interface RestoreChoice {
  source: SnapshotPlace
  /** A directory of this machine, or the new name of a file. */
  target: string
  selection: Selection | undefined
  overwrite: 'never' | 'newer' | 'always'
  deletes: boolean
  dryRun: boolean
  numericIds: boolean
  startup: boolean
  notices: NoticeLines
  /** Whether to compare what was restored with the snapshot. */
  verify: boolean
  /** Told of what is removed, or would be. */
  onDelete: (path: Uint8Array) => void
}

const threadsFromFiles = 256
const threadsFromBytes = 8 * 2 ** 20

export interface Restored {
  count: RestoreCount
  /** If it was compared afterwards. */
  check: CheckCount | undefined
}

/** Throws E_FILE where there is no such thing in the snapshot, or nothing can be written. */
export async function runRestore(
  context: Context,
  grid: Grid,
  choice: RestoreChoice,
): Promise<Restored> {
  const { source, target, notices, selection } = choice
  const { snapshot } = source.snapshot
  const root = directoryOfCap(snapshot.cap)
  const entry = source.path.length === 0 ? undefined : await entryAt(grid.trees, root, source.path)
  if (source.path.length > 0 && entry === undefined)
    throw new GridError('E_FILE', `${formatPath(source.path)}: not in the snapshot`, {
      hint: `see what is: grid ls ${source.snapshot.shortId}:`,
    })
  const batch = await targetOptions(context, choice)
  const crew = crewFor(snapshot.totals, batch)
  const isWhole = entry === undefined && selection === undefined
  const totalBytes = isWhole ? snapshot.totals.bytes : undefined
  const { signal } = context
  const shared = { crew, report: notices.report, selection, path: joined(source.path), signal }
  const isFile = entry !== undefined && !isDirectory(entry)
  const file = isFile ? fileIn(entry, target) : undefined
  const facts = entry && factsOf(entry)
  const from = isDirectory(entry) ? entry.content : root
  try {
    const count = await withTask(context, 'restoring', totalBytes, (advance) => {
      const onProgress = ({ files, finished, bytes, finishedBytes }: RestoreCount): void =>
        advance(bytes + finishedBytes, files + finished)
      const options: RestoreOptions = { ...shared, onProgress }
      if (file !== undefined) return restoreFile(grid, file, { batch, options })
      return restoreTree(grid.trees, from, { target: openTarget(target, batch), facts }, options)
    })
    if (!choice.verify || choice.dryRun) return { count, check: undefined }
    const check = await withTask(context, 'comparing', totalBytes, (advance) => {
      const onProgress = ({ files, bytes }: CheckCount): void => advance(bytes, files)
      const { native } = batch
      const options = { ...shared, native, numericIds: choice.numericIds, onProgress }
      return file === undefined
        ? checkTree(grid.trees, from, { target, facts }, options)
        : checkEntry(grid.trees, file.entry, file.folder, options)
    })
    return { count, check }
  } finally {
    await crew.close()
  }
}

async function withTask<T>(
  { progress }: Context,
  name: string,
  totalBytes: number | undefined,
  work: (advance: (bytes: number, files: number) => void) => Promise<T>,
): Promise<T> {
  const task = progress.start(name, totalBytes)
  try {
    return await work((bytes, files) => {
      task.advance(bytes, `${files} files`)
    })
  } finally {
    task.end()
  }
}

/** Threads take a moment to start: a few files are done by then. */
function crewFor({ files, bytes }: SnapshotTotals, options: TargetOptions): BatchCrew {
  const isSmall = files < threadsFromFiles && bytes < threadsFromBytes
  if (isSmall || options.dryRun === true) return new InlineCrew(options)
  return new WorkerCrew(options, usefulRestoreThreads())
}

async function targetOptions(context: Context, choice: RestoreChoice): Promise<TargetOptions> {
  const { overwrite, deletes, dryRun, numericIds, startup, notices, onDelete } = choice
  const { random, userDirectory } = context.world
  return {
    report: notices.report,
    random,
    native: await nativeForMuch(),
    trusted: true,
    home: userDirectory,
    ...{ overwrite, delete: deletes, dryRun, numericIds, startup, onDelete },
  }
}

/** A file of a snapshot under the name that it is to have, and the directory where. */
interface FileInto {
  entry: DirectoryEntry
  folder: string
}

/** Into a directory under its own name, or under the name that is given. */
function fileIn(entry: DirectoryEntry, target: string): FileInto {
  const isThere = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere || target.endsWith('/')) return { entry, folder: target }
  const at = path.resolve(target)
  return { entry: { ...entry, name: utf8(path.basename(at)) }, folder: path.dirname(at) }
}

async function restoreFile(
  grid: Grid,
  { entry, folder }: FileInto,
  { batch, options }: { batch: TargetOptions; options: RestoreOptions },
): Promise<RestoreCount> {
  const directory = openTarget(folder, { ...batch, delete: false })
  try {
    return await restoreEntry(grid.trees, entry, directory, options)
  } finally {
    directory.abandon()
  }
}

function joined(names: readonly Uint8Array[]): Uint8Array {
  return names.reduce(
    (at, name) => (at.length === 0 ? name : concat(at, Uint8Array.of(0x2f), name)),
    new Uint8Array(0),
  )
}
