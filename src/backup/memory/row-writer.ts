/** What takes the rows of a run in the order of its walk. */
import type { CachedRow } from './cache-cursor.ts'
import type { CachedDirectory, CachedEntry } from './cache-row.ts'

export interface RowWriter {
  enter(name: Uint8Array): void
  entry(entry: CachedEntry): void
  /** The objects of a directory's nodes may be without a root still: it is asked for in the end. */
  leave(directory: CachedDirectory): void
  /** Takes a row of the last run as it is. */
  copy(row: CachedRow): void
}
