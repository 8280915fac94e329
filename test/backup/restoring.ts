/** A grid in memory, a folder to store and a target to restore to. */
import { SystemRandom } from '../../src/base/random.ts'
import { type BatchCrew, InlineCrew } from '../../src/backup/restore/batch-crew.ts'
import {
  type RestoreCount,
  type RestoreOptions,
  restoreTree,
  type RestoreTrees,
} from '../../src/backup/restore/restore.ts'
import { type CheckCount, checkTree } from '../../src/backup/restore/restore-check.ts'
import { entryAt } from '../../src/backup/snapshot-tree.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { factsOf } from '../../src/local/facts.ts'
import { openTarget } from '../../src/local/local-target.ts'
import { splitPath } from '../../src/local/pattern.ts'
import type { TargetOptions } from '../../src/local/target-run.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { isDirectory } from '../../src/tree/same-entry.ts'
import { native, Notices } from '../local/scratch.ts'

export interface RestoreCall extends Partial<Omit<RestoreOptions, 'path'>> {
  grid: { trees: RestoreTrees }
  root: NodeName
  /** In the snapshot; of a directory. */
  path?: string
  target: string
  writing?: Partial<TargetOptions>
  crewOf?: (options: TargetOptions) => BatchCrew
}

export async function restoreTo(
  call: RestoreCall,
): Promise<{ count: RestoreCount; notices: Notices }> {
  const { grid, root, path = '', target, writing, crewOf, ...rest } = call
  const notices = new Notices()
  const { report } = notices
  const options: TargetOptions = {
    ...{ report, random: new SystemRandom(), native, trusted: true },
    ...writing,
  }
  const names = splitPath(utf8(path))
  const entry = names.length === 0 ? undefined : await entryAt(grid.trees, root, names)
  const from = isDirectory(entry) ? entry.content : root
  const crew = crewOf?.(options) ?? new InlineCrew(options)
  const into = { target: openTarget(target, options), facts: entry && factsOf(entry) }
  try {
    const restoring = { crew, report, path: utf8(path), ...rest }
    return { count: await restoreTree(grid.trees, from, into, restoring), notices }
  } finally {
    await crew.close()
  }
}

/** Compares what was restored by the same call. */
export async function checkIn(call: RestoreCall): Promise<{ count: CheckCount; notices: Notices }> {
  const { grid, root, path = '', target, writing, crewOf } = call
  const notices = new Notices()
  const { report } = notices
  const options: TargetOptions = { report, random: new SystemRandom(), native, ...writing }
  const names = splitPath(utf8(path))
  const entry = names.length === 0 ? undefined : await entryAt(grid.trees, root, names)
  const from = isDirectory(entry) ? entry.content : root
  const crew = crewOf?.(options) ?? new InlineCrew(options)
  try {
    const into = { target, facts: entry && factsOf(entry) }
    const checking = { crew, report, path: utf8(path), native, numericIds: false }
    return { count: await checkTree(grid.trees, from, into, checking), notices }
  } finally {
    await crew.close()
  }
}
