/** What a path in a snapshot names. */
import { findEntry } from '../tree/directory-reader.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { isDirectory } from '../tree/same-entry.ts'
import type { SliceReader } from '../tree/slice-reader.ts'

/**
 * The entry at `path`, which is not empty; undefined if there is none, also where something on the
 * way is no directory. Throws as `findEntry`.
 */
export async function entryAt(
  reader: SliceReader,
  root: NodeName,
  path: readonly Uint8Array[],
): Promise<DirectoryEntry | undefined> {
  let directory: NodeName | undefined = root
  let entry: DirectoryEntry | undefined
  for (const name of path) {
    entry = directory && (await findEntry(reader, directory, name))
    directory = isDirectory(entry) ? entry.content : undefined
  }
  return entry
}
