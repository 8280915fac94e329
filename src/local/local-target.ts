/**
 * A directory of this machine that a stored tree is written to: never outside it, and never through
 * a link in it, whatever the entries say and whatever others do there meanwhile.
 */
import { closeSync, constants, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError } from '../base/errors.ts'
import { identityOf, type Identity, OpenDirectory } from './open-directory.ts'
import { TargetDirectory, unfinishedMode } from './target-directory.ts'
import { partName, TargetRun, type TargetOptions } from './target-run.ts'

/**
 * Opens `target`, through links too, since it is the user's own word; makes it and what is above it
 * where it is not there. The directory that comes back is to be filled, and finished or abandoned.
 *
 * @throws E_FILE
 */
export function openTarget(target: string, options: TargetOptions): TargetDirectory {
  const { dryRun = false, foldsNames, random } = options
  try {
    if (!dryRun) makeTarget(target)
    const root = openIfThere(target)
    const folds = foldsNames ?? (root !== undefined && !dryRun && isFolding(root, partName(random)))
    const home = options.home === undefined ? undefined : identityAt(options.home)
    const run = new TargetRun(options, { root, home, foldsNames: folds })
    return new TargetDirectory(run, { open: root, names: [] })
  } catch (error) {
    throw asGridError(error, 'E_FILE', `cannot write to ${target}`)
  }
}

/** What is made here is unfinished; what is above it is as the user's own directories are. */
function makeTarget(target: string): void {
  const at = path.resolve(target)
  mkdirSync(path.dirname(at), { recursive: true })
  try {
    mkdirSync(at, unfinishedMode)
  } catch (error) {
    if (!isDiskError(error, 'EEXIST')) throw error
  }
}

function openIfThere(target: string): OpenDirectory | undefined {
  try {
    return OpenDirectory.at(target)
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Whether the file system takes a name in capitals for the same: it is tried. */
function isFolding(root: OpenDirectory, name: Uint8Array): boolean {
  closeSync(root.openFile(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
  try {
    const capitals = utf8(Buffer.from(name).toString('latin1').toUpperCase())
    return root.look(capitals) !== undefined
  } finally {
    root.discard(name)
  }
}

function identityAt(directory: string): Identity | undefined {
  const stats = statSync(directory, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : identityOf(stats)
}
