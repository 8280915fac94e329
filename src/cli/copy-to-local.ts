/** Copies out of trees to this machine. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError, GridError } from '../base/errors.ts'
import { isDirectory } from '../files/same-entry.ts'
import { sizeOfEntry } from '../tree/entry.ts'
import type { Context } from './command.ts'
import type { CopyCount } from './copy-in.ts'
import { copyFileOut, type CopyOut, copyTreeOut } from './copy-out.ts'
import { LocalDirectory } from './local-directory.ts'
import type { TreePlace } from './place.ts'
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
  if (!into && (sources.length > 1 || target.endsWith('/')))
    throw new GridError('E_FILE', `${target}: no such directory`)
  for (const source of sources) {
    const { entry, tree } = await places.find(source)
    const copy: CopyOut = { trees: places.grid.trees, view: tree.view, replace: force }
    const isBranch = entry === undefined || isDirectory(entry)
    if (isBranch && !recursive)
      throw new GridError('E_FILE', `${shownPlace(source)} is a directory`, {
        hint: 'give -r to copy all of it',
      })
    // The root of a tree has no name: what is in it goes into the target itself.
    const directory = await openLocal(into ? target : path.dirname(path.resolve(target)), target)
    const name = into ? entry?.name : utf8(path.basename(path.resolve(target)))
    try {
      if (isBranch) {
        const inner = name === undefined ? directory : await directory.enter(name)
        const from = entry === undefined ? tree.view.root : entry.content
        await copyTreeOut(context, copy, from, inner, count)
      } else {
        await copyFileOut(context, copy, entry, directory, name!)
        count.files++
        count.bytes += sizeOfEntry(entry) ?? 0
      }
    } catch (error) {
      throw asLocal(error, target)
    } finally {
      await directory.close().catch(() => {}) // it is closed already where it was walked into
    }
  }
  return { count, version: undefined }
}

async function isLocalDirectory(at: string): Promise<boolean> {
  try {
    return (await fs.stat(at)).isDirectory()
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return false
    throw asLocal(error, at)
  }
}

async function openLocal(at: string, target: string): Promise<LocalDirectory> {
  try {
    return await LocalDirectory.open(at)
  } catch (error) {
    throw asLocal(error, target)
  }
}

/** What the disk says becomes E_FILE; all else stays what it is. */
function asLocal(error: unknown, target: string): unknown {
  const isOfDisk = error instanceof Error && 'syscall' in error
  return isOfDisk ? asGridError(error, 'E_FILE', `cannot write ${target}`) : error
}
