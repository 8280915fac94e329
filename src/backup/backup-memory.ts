/**
 * What a backup remembers between runs (docs/specs/backup-cache.md): of the last one everything, of
 * one that was cut short what it had stored.
 */
import type { KnownStream } from '../node/file-store.ts'
import type { StoredFile, TaggedStream } from '../node/stored-file.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { RowCursor } from './cache-cursor.ts'
import type { RowWriter } from './new-rows.ts'

export interface BackupMemory {
  /** Of the last run, to be gone through once; undefined if nothing is remembered. */
  rows(): RowCursor | undefined
  /** The objects that the last run's snapshot stands on; none if nothing is remembered. */
  objects(): Iterable<ObjectRef>
  /** Where a stream of this tag is stored already. */
  known(tag: Uint8Array): KnownStream | undefined
  readonly unfinished: Unfinished
  /** Begins what the next run will know; the last one's stays as it is until `commit`. */
  begin(): NextMemory
  /** Ends the use of it; what was not committed is forgotten, but for what is unfinished. */
  close(): Promise<void>
}

/** What a run that was cut short had stored. What is added is written within a moment, or by `flush`. */
export interface Unfinished {
  find(path: Uint8Array, fingerprint: Uint8Array): StoredFile | undefined
  /** The beginning of a large file, without a gap. */
  extentsOf(path: Uint8Array, fingerprint: Uint8Array): readonly TaggedStream[]
  addFile(path: Uint8Array, fingerprint: Uint8Array, file: StoredFile): void
  addExtent(path: Uint8Array, fingerprint: Uint8Array, index: number, extent: TaggedStream): void
  flush(): void
}

/** Takes each row of a walk in its turn. */
export interface NextMemory extends RowWriter {
  /** Of the rows so far. */
  objects(): { count: number }
  /** Durably in place of what was remembered before; what was unfinished is forgotten with it. */
  commit(): Promise<void>
  abandon(): Promise<void>
}
