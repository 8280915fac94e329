/**
 * Writes directories, and changes them by rewriting only the nodes on the paths of what changes
 * (docs/specs/directory.md, "Changing"). The result depends on the entries, not on the history.
 */
import { compareBytes } from '../base/bytes.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import { checkName, type DirectoryEntry, type DirectoryRef } from './entry.ts'
import { DirectoryLevel, type LevelContext } from './directory-level.ts'
import { NodeCutter } from './node-end.ts'
import type { NodeName } from './node-ref.ts'
import type { NodeSink } from './node-sink.ts'
import { OldDirectory } from './old-directory.ts'
import type { SliceReader } from './slice-reader.ts'

export interface DirectoryWriteContext {
  keys: ConvergenceKeys
  /** Reads the nodes of what is changed; not asked when a directory is built from nothing. */
  reader: SliceReader
  /** Takes new nodes, those below before those above. */
  sink: NodeSink
}

/** What becomes of a name: an entry to add or put in place of another, or undefined to remove it. */
export interface DirectoryChange {
  name: Uint8Array
  entry: DirectoryEntry | undefined
}

type Sequence<T> = Iterable<T> | AsyncIterable<T>

/**
 * Changes a directory and resolves to what it is then, in memory for a few nodes at a time. Entries
 * put in place of equal ones, and names removed that are not there, change nothing.
 *
 * @param base - undefined: an empty directory
 * @param changes - ascending by name, no name twice
 * @throws RangeError for changes out of order; E_NODE for an entry that no directory can hold; what
 *   reader and sink throw
 */
export async function changeDirectory(
  context: DirectoryWriteContext,
  base: NodeName | undefined,
  changes: Sequence<DirectoryChange>,
): Promise<DirectoryRef> {
  const { keys, reader, sink } = context
  const old = base === undefined ? undefined : await OldDirectory.open(reader, base)
  const levels: LevelContext = { keys, sink, old, cutter: new NodeCutter(keys), written: [] }
  const entries = new DirectoryLevel(levels, 0)
  let last: Uint8Array | undefined
  for await (const { name, entry } of changes) {
    checkName(name)
    if (last !== undefined && compareBytes(last, name) >= 0)
      throw new RangeError('changes of a directory: names out of order, or one twice')
    await entries.change(name, entry)
    last = name
  }
  return entries.finish()
}

/** Writes a directory of these entries, ascending by name. Throws as `changeDirectory`. */
export async function writeDirectory(
  context: Omit<DirectoryWriteContext, 'reader'>,
  entries: Sequence<DirectoryEntry>,
): Promise<DirectoryRef> {
  return changeDirectory({ ...context, reader: noReader }, undefined, additions(entries))
}

async function* additions(entries: Sequence<DirectoryEntry>): AsyncGenerator<DirectoryChange> {
  for await (const entry of entries) yield { name: entry.name, entry }
}

const noReader: SliceReader = {
  readSlice() {
    throw new RangeError('nothing is read where a directory is built from nothing')
  },
}
