/** Stores a directory that was worked out in memory, as a change of one that is stored. */
import { GridError } from '../base/errors.ts'
import { diffDirectories } from '../tree/directory-diff.ts'
import { changeDirectory, type DirectoryWriteContext } from '../tree/directory-writer.ts'
import type { DirectoryChange } from '../tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { maxPathNames } from './path.ts'
import { isDirectory } from '../tree/same-entry.ts'
import type { Scratch } from './scratch.ts'

/**
 * Writes what of `made` is in memory alone, and resolves to the same directory, stored.
 *
 * @param base - what is stored already and most like it; undefined for nothing
 * @param made - a directory of `scratch`, or one that is stored: then nothing is written
 */
export async function materialise(
  context: DirectoryWriteContext,
  scratch: Scratch,
  base: NodeName | undefined,
  made: DirectoryRef,
  depth = 0,
): Promise<DirectoryRef> {
  if (!scratch.has(made)) return made
  if (depth > maxPathNames) throw new GridError('E_NODE', 'directories too deep in each other')
  const store = async (
    before: DirectoryEntry | undefined,
    after: DirectoryEntry,
  ): Promise<DirectoryEntry> => {
    if (!isDirectory(after)) return after
    const old = isDirectory(before) ? before.content : undefined
    const content = await materialise(context, scratch, old, after.content, depth + 1)
    return { ...after, content }
  }
  async function* changes(): AsyncGenerator<DirectoryChange> {
    for await (const { name, before, after } of diffDirectories(scratch, base, made))
      yield { name, entry: after && (await store(before, after)) }
  }
  return changeDirectory(context, base, changes())
}
