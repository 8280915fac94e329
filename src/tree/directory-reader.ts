/**
 * Lists a directory of any size in constant memory, and finds one name without reading the rest
 * (docs/specs/directory.md, "Reading").
 */
import { equalBytes } from '../base/bytes.ts'
import { firstAfter, firstFrom, isEntries } from './directory-node.ts'
import { nodeRows, openBelow, type OpenedNode, openRoot } from './directory-tree.ts'
import type { DirectoryEntry, DirectoryRef } from './entry.ts'
import type { NodeName } from './node-ref.ts'
import type { SliceReader } from './slice-reader.ts'

export interface ListOptions {
  /** Entries with greater names only; the name itself need not be there. */
  after?: Uint8Array
}

/**
 * Yields the entries in order of their names.
 *
 * @throws E_COMMIT, E_NODE, E_CBOR, E_SIZE, and what the reader throws
 */
export async function* listDirectory(
  reader: SliceReader,
  directory: NodeName,
  options: ListOptions = {},
): AsyncGenerator<DirectoryEntry> {
  for await (const page of listPages(reader, directory, options)) yield* page
}

/** As `listDirectory`, in the runs in which entries are stored: some hundreds at a time, none empty. */
export async function* listPages(
  reader: SliceReader,
  directory: NodeName,
  options: ListOptions = {},
): AsyncGenerator<readonly DirectoryEntry[]> {
  yield* pagesBelow(reader, await openRoot(reader, directory), options.after)
}

/** The entry of this name, or undefined; reads one node of each depth. Throws as `listDirectory`. */
export async function findEntry(
  reader: SliceReader,
  directory: NodeName,
  name: Uint8Array,
): Promise<DirectoryEntry | undefined> {
  let opened = await openRoot(reader, directory)
  for (;;) {
    const { node } = opened
    const index = firstFrom(node.rows, name)
    if (index === node.rows.length) return undefined
    if (isEntries(node)) {
      const entry = node.rows[index]
      return equalBytes(entry.name, name) ? entry : undefined
    }
    opened = await openBelow(reader, opened, index)
  }
}

/** All that a reference to the directory of a cap needs: the cap does not tell the object's length. */
export async function resolveDirectory(
  reader: SliceReader,
  directory: NodeName,
): Promise<DirectoryRef> {
  const { ref } = await openRoot(reader, directory)
  return ref
}

async function* pagesBelow(
  reader: SliceReader,
  opened: OpenedNode,
  after: Uint8Array | undefined,
): AsyncGenerator<readonly DirectoryEntry[]> {
  const { node } = opened
  const from = after === undefined ? 0 : firstAfter(node.rows, after)
  if (isEntries(node)) {
    if (from < node.rows.length) yield node.rows.slice(from)
    return
  }
  const count = nodeRows(node).length
  for (let index = from; index < count; index++) {
    const below = await openBelow(reader, opened, index)
    yield* pagesBelow(reader, below, index === from ? after : undefined)
  }
}
