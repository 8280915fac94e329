/** What a file system asks of a grid: `grid.trees` has it. */
import type { DirectoryWriteContext } from '../tree/directory-writer.ts'
import type { SliceReader } from '../tree/slice-reader.ts'
import type { TreeWriter } from '../node/content/tree-writer.ts'
import type { TreeStore } from '../node/content/tree-store.ts'

/** Stores files and nodes; what it gives is stored once the whole change is. */
export type ContentWriter = Pick<TreeWriter, 'putContent' | 'putMany'> & DirectoryWriteContext

export interface TreeStorage extends SliceReader, Pick<TreeStore, 'readContent'> {
  /** Runs `work`, and resolves to what it gives once all that it made is safely stored. */
  write<T>(
    work: (writer: ContentWriter) => Promise<T>,
    options?: { signal?: AbortSignal; secret?: Uint8Array },
  ): Promise<T>
}
