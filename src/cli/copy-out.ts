/** Writes entries of a tree to this machine: never outside the target, never through a link. */
import { errorText, GridError } from '../base/errors.ts'
import { formatPath, type Path } from '../files/path.ts'
import { isDirectory } from '../files/same-entry.ts'
import type { TreeView } from '../files/tree-view.ts'
import { type DirectoryEntry, sizeOfEntry } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import type { TreeStore } from '../node/tree-store.ts'
import type { Attributes } from '../files/same-entry.ts'
import type { Context } from './command.ts'
import type { CopyCount } from './copy-in.ts'
import { LocalDirectory } from './local-directory.ts'

export interface CopyOut {
  trees: Pick<TreeStore, 'readContent'>
  view: TreeView
  /** Whether files that are there may be replaced. */
  replace: boolean
}

/** Writes one entry that is no directory into `directory`. Throws E_EXISTS and what the disk says. */
export async function copyFileOut(
  { world, signal }: Context,
  { trees, replace }: CopyOut,
  entry: DirectoryEntry,
  directory: LocalDirectory,
  name: Uint8Array,
): Promise<void> {
  switch (entry.kind) {
    case 'lit':
    case 'file':
    case 'tree': {
      const pieces = trees.readContent(entry, { signal })
      return directory.makeFile(name, pieces, entry, { replace, random: world.random })
    }
    case 'symlink':
      return directory.makeLink(name, entry.content)
    default:
      throw new GridError('E_FILE', `a ${entry.kind} is not made here`)
  }
}

/**
 * Writes everything below a directory of the tree into `target`, which is closed then. What cannot
 * be written is warned of and passed over.
 */
export async function copyTreeOut(
  context: Context,
  copy: CopyOut,
  from: NodeName | undefined,
  target: LocalDirectory,
  count: CopyCount,
): Promise<void> {
  const { output, signal } = context
  const open: { directory: LocalDirectory; attributes?: Attributes }[] = [{ directory: target }]
  /** The directory that was made last: whatever could not be made is not gone into. */
  const entered = new Set<string>()
  const closeTo = async (depth: number): Promise<void> => {
    while (open.length > depth) {
      const { directory, attributes } = open.pop()!
      await directory.close(attributes)
    }
  }
  const refuse = async (path: Path, error: unknown): Promise<void> => {
    signal.throwIfAborted()
    count.skipped++
    await output.warning(`${formatPath(path)}: left out: ${errorText(error)}`)
  }
  const task = context.progress.start('copying', undefined)
  try {
    const enter = ({ path }: { path: Path }): boolean => entered.has(formatPath(path))
    for await (const { path, entry } of copy.view.walk(from, { enter, signal })) {
      await closeTo(path.length)
      const { directory } = open[open.length - 1]
      try {
        if (isDirectory(entry)) {
          open.push({ directory: await directory.enter(entry.name), attributes: entry })
          entered.clear()
          entered.add(formatPath(path))
        } else {
          await copyFileOut(context, copy, entry, directory, entry.name)
          count.files++
          count.bytes += sizeOfEntry(entry) ?? 0
          task.advance(count.bytes, `${count.files} files`)
        }
      } catch (error) {
        await refuse(path, error)
      }
    }
  } finally {
    task.end()
    await closeTo(0)
  }
}
