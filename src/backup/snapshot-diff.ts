/**
 * What is not the same in two stored directories and below, by path. Nodes that both share are
 * passed over unread.
 */
import { diffDirectories } from '../tree/directory-diff.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { malformedNode } from '../tree/refs.ts'
import { compareAttributes, isDirectory, sameContent } from '../tree/same-entry.ts'
import type { SliceReader } from '../tree/slice-reader.ts'

/** `changed`: its content, or what kind of thing it is. `metadata`: all but that. */
export type Change = 'added' | 'removed' | 'changed' | 'metadata'

export interface ChangedPath {
  change: Change
  path: readonly Uint8Array[]
  /** Undefined for what was added, as is `after` for what was removed. */
  before: DirectoryEntry | undefined
  after: DirectoryEntry | undefined
}

/** As many as a path of 4,096 bytes can name. */
const maxLevels = 2048

/**
 * Yields a directory before what is in it, by name; of one that was added or removed, all below too.
 *
 * @param before - undefined, as `after`: an empty directory
 * @throws as `diffDirectories`; E_NODE for directories too deep in each other
 */
export async function* diffTrees(
  reader: SliceReader,
  before: NodeName | undefined,
  after: NodeName | undefined,
  above: readonly Uint8Array[] = [],
): AsyncGenerator<ChangedPath> {
  if (above.length > maxLevels) throw malformedNode(`more than ${maxLevels} levels`)
  for await (const difference of diffDirectories(reader, before, after)) {
    const [left, right] = [difference.before, difference.after]
    const path = [...above, difference.name.slice()]
    const change = changeOf(left, right)
    if (change !== undefined) yield { change, path, before: left, after: right }
    const from = isDirectory(left) ? left.content : undefined
    const to = isDirectory(right) ? right.content : undefined
    if (from !== undefined || to !== undefined) yield* diffTrees(reader, from, to, path)
  }
}

/** Undefined for a directory in which something has changed, and which is the same itself. */
function changeOf(
  before: DirectoryEntry | undefined,
  after: DirectoryEntry | undefined,
): Change | undefined {
  if (before === undefined) return 'added'
  if (after === undefined) return 'removed'
  const isSame =
    isDirectory(before) || isDirectory(after)
      ? before.kind === after.kind
      : sameContent(before, after)
  if (!isSame) return 'changed'
  return compareAttributes(before, after) === 0 ? undefined : 'metadata'
}
