/** Edits that put what is in one tree into another, by reference: nothing is fetched or stored again. */
import { isDirectory, attributesOf, renamed } from '../tree/same-entry.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { Edit } from './edit-tree.ts'
import type { Path } from './path.ts'
import { Scratch } from './scratch.ts'
import type { TreeView } from './tree-view.ts'

/**
 * Yields what makes `path` the entry. A directory that is in memory alone, as a merge that nobody
 * has recorded, is taken apart; whatever is stored is named as it is.
 *
 * @param source - the tree that the entry is of
 */
export async function* copyEdits(
  source: TreeView,
  entry: DirectoryEntry,
  path: Path,
): AsyncGenerator<Edit> {
  const inMemory = (each: DirectoryEntry): boolean =>
    isDirectory(each) && source.reader instanceof Scratch && source.reader.has(each.content)
  if (!isDirectory(entry) || !inMemory(entry)) {
    yield { path, entry: renamed(entry, path[path.length - 1]) }
    return
  }
  yield { path, directory: attributesOf(entry) }
  for await (const walked of source.walk(entry.content, {
    enter: (each) => inMemory(each.entry),
  })) {
    const at = [...path, ...walked.path]
    if (inMemory(walked.entry)) yield { path: at, directory: attributesOf(walked.entry) }
    else yield { path: at, entry: walked.entry }
  }
}
