/** The rows of a cache, one after the other, in the order of the walk that wrote them. */
import type { StoredFile } from '../../node/content/stored-file.ts'
import type { CachedDirectory } from './cache-row.ts'

/** A row where a cursor stands; what it gives is read from it when asked for. */
export interface CachedRow {
  readonly step: 'enter' | 'entry' | 'leave'
  readonly name: Uint8Array
  /** Of an entry or a leave: whether it is of a file that was not touched since. */
  matches(fingerprint: Uint8Array, hardLink?: number): boolean
  /** As `matches`, whatever its hard links are: what is enough for its content. */
  hasFingerprint(fingerprint: Uint8Array): boolean
  /** Of an entry that is a file. */
  content(): StoredFile | undefined
  /** Of a leave. */
  directory(): CachedDirectory
  /** The same row, good for as long as it is wanted. */
  kept(): CachedRow
}

export interface RowCursor {
  /** Undefined behind the last one. */
  readonly row: CachedRow | undefined
  advance(): void
  /** From an enter to behind its leave. */
  skipSubtree(): void
}
