/** Everything in a stored directory, by name and each before what is in it, as far as it is wanted. */
import { isGridError } from '../../base/errors.ts'
import type { Selection } from '../../local/selection.ts'
import { pathBelow } from '../../local/target-directory.ts'
import { listPages } from '../../tree/directory-reader.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import { malformedNode } from '../../tree/refs.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'

/** `D` is whatever the visitor knows a directory by. */
export interface TreeVisitor<D> {
  /** An entry that is no directory; what it resolves to is waited for. */
  entry(entry: DirectoryEntry, above: D, path: Uint8Array): void | Promise<void>
  /**
   * A directory, before what is in it; undefined: it is not gone into.
   *
   * @param isPassed - it is wanted only for what is below it, if anything is
   */
  enter(entry: DirectoryEntry, above: D, path: Uint8Array, isPassed: boolean): D | undefined
  /** What is in it has all been visited, or the rest could not be read. */
  leave(directory: D, path: Uint8Array, error: unknown): void | Promise<void>
  /** An entry that is not wanted. */
  skip?(entry: DirectoryEntry, above: D): void
}

export interface WalkOptions {
  selection?: Selection | undefined
  /** Where `root` is, as the selection's paths go; empty for the root of a snapshot. */
  path?: Uint8Array
  signal?: AbortSignal
}

/** As many as a path of 4,096 bytes can name. */
const maxLevels = 2048

/**
 * Walks what is in `root`, which is `top` to the visitor. A directory that cannot be read is left
 * with the error, and the walk goes on.
 *
 * @throws what the visitor throws, and the signal's reason
 */
export async function walkTree<D>(
  reader: SliceReader,
  root: NodeName,
  top: D,
  visitor: TreeVisitor<D>,
  options: WalkOptions = {},
): Promise<void> {
  const { path = new Uint8Array(0) } = options
  await walkDirectory({ reader, visitor, options }, root, top, path, 1)
}

interface Walk<D> {
  reader: SliceReader
  visitor: TreeVisitor<D>
  options: WalkOptions
}

async function walkDirectory<D>(
  walk: Walk<D>,
  node: NodeName,
  directory: D,
  path: Uint8Array,
  level: number,
): Promise<void> {
  const { reader, visitor, options } = walk
  const { selection, signal } = options
  const pages = level > maxLevels ? tooDeep() : listPages(reader, node)
  let failure: unknown
  for (;;) {
    const page = await nextPage(pages)
    signal?.throwIfAborted()
    if (!Array.isArray(page)) {
      failure = page
      break
    }
    for (const entry of page) {
      const below = pathBelow(path, entry.name)
      const choice = selection?.choose(below, isDirectory(entry)) ?? 'take'
      if (choice === 'skip') visitor.skip?.(entry, directory)
      else if (isDirectory(entry)) {
        const inner = visitor.enter(entry, directory, below, choice === 'pass')
        if (inner !== undefined) await walkDirectory(walk, entry.content, inner, below, level + 1)
      } else {
        const placing = visitor.entry(entry, directory, below)
        if (placing !== undefined) await placing
      }
    }
  }
  await visitor.leave(directory, path, failure)
}

/** Undefined at the end; what was thrown if it cannot be read. */
async function nextPage(
  pages: AsyncGenerator<readonly DirectoryEntry[]>,
): Promise<DirectoryEntry[] | undefined | Error> {
  try {
    const step = await pages.next()
    return step.done === true ? undefined : (step.value as DirectoryEntry[])
  } catch (error) {
    if (isGridError(error) && error.code !== 'E_INTERRUPTED') return error
    throw error
  }
}

async function* tooDeep(): AsyncGenerator<readonly DirectoryEntry[]> {
  yield await Promise.reject(malformedNode(`more than ${maxLevels} levels`))
}
