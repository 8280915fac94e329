/**
 * A directory of this machine that a stored tree is written to: never outside it, and never through
 * a link in it, whatever the entries say and whatever others do there meanwhile.
 */
import { closeSync, constants, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { isDiskError } from '../base/disk.ts'
import { asGridError } from '../base/errors.ts'
import { identityOf, type Identity, OpenDirectory } from './open-directory.ts'
import { openedDirectory, type TargetDirectory, unfinishedMode } from './target-directory.ts'
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
    return openedDirectory(run, { open: root, names: [] })
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

/**
 * Whether the file system takes a name in other letters for the same: by a name that is there, or
 * by one made to try.
 */
function isFolding(root: OpenDirectory, spare: Uint8Array): boolean {
  const names = root.names()
  for (let i = 0; i < names.length; i++) {
    const swapped = inOtherCase(names.at(i))
    if (!names.has(swapped)) return root.look(swapped) !== undefined
  }
  closeSync(root.openFile(spare, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600))
  try {
    return root.look(inOtherCase(spare)) !== undefined
  } finally {
    root.discard(spare)
  }
}

/** Letters of ASCII turned from small to capital and back; the same for a name without any. */
function inOtherCase(name: Uint8Array): Uint8Array {
  return name.map((byte) => (/[a-z]/i.test(String.fromCharCode(byte)) ? byte ^ 0x20 : byte))
}

function identityAt(directory: string): Identity | undefined {
  const stats = statSync(directory, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : identityOf(stats)
}
