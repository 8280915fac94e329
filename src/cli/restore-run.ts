/** A restore as the command line does it: what of a snapshot goes where, with progress and notices. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { concat, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { type BatchCrew, InlineCrew } from '../backup/batch-crew.ts'
import {
  type RestoreCount,
  restoreEntry,
  type RestoreOptions,
  restoreTree,
} from '../backup/restore.ts'
import { usefulRestoreThreads, WorkerCrew } from '../backup/worker-crew.ts'
import { entryAt } from '../backup/snapshot-tree.ts'
import { formatPath } from '../files/path.ts'
import { factsOf } from '../local/facts.ts'
import { openTarget } from '../local/local-target.ts'
import { loadNative } from '../local/native.ts'
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
  /** Told of what is removed, or would be. */
  onDelete: (path: Uint8Array) => void
}

const threadsFromFiles = 256
const threadsFromBytes = 8 * 2 ** 20

/** Throws E_FILE where there is no such thing in the snapshot, or nothing can be written. */
export async function runRestore(
  context: Context,
  grid: Grid,
  choice: RestoreChoice,
): Promise<RestoreCount> {
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
  const task = context.progress.start('restoring', isWhole ? snapshot.totals.bytes : undefined)
  const options: RestoreOptions = {
    crew,
    report: notices.report,
    selection,
    path: joined(source.path),
    onProgress: ({ files, finished, bytes, finishedBytes }) =>
      task.advance(bytes + finishedBytes, `${files + finished} files`),
    signal: context.signal,
  }
  try {
    if (entry !== undefined && !isDirectory(entry))
      return await restoreFile(grid, entry, { target, batch, options })
    const into = openTarget(target, batch)
    const facts = entry && factsOf(entry)
    const from = entry === undefined ? root : entry.content
    return await restoreTree(grid.trees, from, { target: into, facts }, options)
  } finally {
    task.end()
    await crew.close()
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
    native: await loadNative(),
    trusted: true,
    home: userDirectory,
    ...{ overwrite, delete: deletes, dryRun, numericIds, startup, onDelete },
  }
}

/** Into a directory under its own name, or under the name that is given. */
async function restoreFile(
  grid: Grid,
  entry: DirectoryEntry,
  into: { target: string; batch: TargetOptions; options: RestoreOptions },
): Promise<RestoreCount> {
  const { target, batch, options } = into
  const isThere = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
  const isFolder = isThere || target.endsWith('/')
  const [folder, name] = isFolder
    ? [target, entry.name]
    : [path.dirname(path.resolve(target)), utf8(path.basename(path.resolve(target)))]
  const directory = openTarget(folder, { ...batch, delete: false })
  try {
    return await restoreEntry(grid.trees, { ...entry, name }, directory, options)
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
