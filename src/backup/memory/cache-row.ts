/**
 * What one run of a backup remembers for the next (docs/specs/backup-cache.md): the steps of its
 * walk, in their order, each with what tells that an entry is as it was, and where it is stored.
 */
import type { LocalKind } from '../../local/facts.ts'
import type { SnapshotTotals } from '../../log/snapshot-body.ts'
import type { StoredFile } from '../../node/content/stored-file.ts'
import type { DirectoryRef } from '../../tree/entry.ts'
import type { ObjectRef } from '../../tree/refs.ts'

/** An entry that is no directory. */
export interface CachedEntry {
  name: Uint8Array
  kind: LocalKind
  /** As `formatFingerprint` gives it; undefined if the entry is not to be taken as unchanged. */
  fingerprint: Uint8Array | undefined
  hardLink: number | undefined
  /** Of a file. */
  content: StoredFile | undefined
}

/** A directory, once all in it is known. */
export interface CachedDirectory {
  name: Uint8Array
  fingerprint: Uint8Array | undefined
  ref: DirectoryRef
  /** Every object that nodes of this directory alone are in. */
  nodes: readonly ObjectRef[]
  /** Of all that is below; `objects` is not counted here, and 0. */
  totals: SnapshotTotals
}
