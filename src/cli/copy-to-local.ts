/** Copies out of trees to this machine. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError, GridError } from '../base/errors.ts'
import { isDirectory } from '../tree/same-entry.ts'
import { factsOf } from '../local/facts.ts'
import { openTarget } from '../local/local-target.ts'
import { loadNative } from '../local/native.ts'
import type { TargetDirectory } from '../local/target-directory.ts'
import type { TargetOptions } from '../local/target-run.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { Context } from './command.ts'
import type { CopyCount } from './copy-in.ts'
import { copyFileOut, type CopyOut, copyTreeOut } from './copy-out.ts'
import type { TreePlace } from './place.ts'
import { Refusals } from './refusal.ts'
import { shownPlace, type TreePlaces } from './tree-places.ts'

export interface CopyToLocal {
  sources: readonly TreePlace[]
  /** A directory that takes what is copied, or a new name for it. */
  target: string
  recursive: boolean
  force: boolean
}

export async function copyToLocal(
  context: Context,
  places: TreePlaces,
  { sources, target, recursive, force }: CopyToLocal,
): Promise<{ count: CopyCount; version: undefined }> {
  const count = { files: 0, bytes: 0, directories: 0, skipped: 0 }
  const into = await isLocalDirectory(target)
  const above = into ? target : path.dirname(path.resolve(target))
  if (!into && (sources.length > 1 || target.endsWith('/') || !(await isLocalDirectory(above))))
    throw new GridError('E_FILE', `${target}: no such directory`)
  const refusals = new Refusals()
  const options: TargetOptions = {
    report: refusals.report,
    random: context.world.random,
    native: await loadNative(),
    overwrite: force ? 'always' : 'never',
    resume: false,
  }
  for (const source of sources) {
    const { entry, tree } = await places.find(source)
    const copy: CopyOut = { trees: places.grid.trees, view: tree.view, refusals, count }
    if ((entry === undefined || isDirectory(entry)) && !recursive)
      throw new GridError('E_FILE', `${shownPlace(source)} is a directory`, {
        hint: 'give -r to copy all of it',
      })
    // The root of a tree has no name: what is in it goes into the target itself.
    const name = into ? entry?.name : utf8(path.basename(path.resolve(target)))
    const directory = openTarget(above, options)
    try {
      if (name === undefined) await copyTreeOut(context, copy, tree.view.root, directory)
      else if (entry !== undefined && !isDirectory(entry))
        await copyFileOut(context, copy, entry, directory, name)
      else await copyDirectoryOut(context, copy, entry, { directory, name })
      refusals.check()
    } finally {
      directory.abandon() // it is the user's own, and stays as it is
    }
  }
  return { count, version: undefined }
}

/** `entry` is undefined for the root of a tree. Throws where the directory itself is refused. */
async function copyDirectoryOut(
  context: Context,
  copy: CopyOut,
  entry: DirectoryEntry | undefined,
  { directory, name }: { directory: TargetDirectory; name: Uint8Array },
): Promise<void> {
  const below = directory.directory({ name })
  if (below === undefined) return
  try {
    const from = entry !== undefined && isDirectory(entry) ? entry.content : copy.view.root
    await copyTreeOut(context, copy, from, below)
    below.finish(entry && factsOf(entry))
  } finally {
    below.abandon()
  }
}

async function isLocalDirectory(at: string): Promise<boolean> {
  try {
    return (await fs.stat(at)).isDirectory()
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return false
    throw asGridError(error, 'E_FILE', `cannot write ${at}`)
  }
}
