/**
 * Where a server keeps share files: in memory or on disk, under one suite
 * (test/suites/share-store.ts). It keeps bytes; whether they are right is LocalPeer's business.
 *
 * A share that `list`, `read` or `entries` shows is durable: one whose commit is not done is not
 * shown. Failures are E_FULL where there is no space and E_IO otherwise; an E_IO with the fact
 * `failing: true` says that the medium itself is broken, and nothing more should be written to it.
 */
import type { StorageIndex } from './peer.ts'

export interface ShareStore {
  /** Readies the store: removes temporary files of puts that never ended. Call once, first. */
  open(): Promise<void>
  /** What is held: counted when it is first asked for, then kept up to date. */
  totals(): Promise<ShareTotals>
  /** Share numbers held of an object, ascending. */
  list(storageIndex: StorageIndex): Promise<number[]>
  /**
   * Begins a share of exactly `shareBytes`. Any number may be written at once, of one share too;
   * nothing is visible under its name before `commit`.
   */
  create(storageIndex: StorageIndex, shareNumber: number, shareBytes: number): Promise<ShareWriter>
  /** Opens a share for reading, or undefined where there is none. */
  read(storageIndex: StorageIndex, shareNumber: number): Promise<ShareReader | undefined>
  /**
   * Every share held, or those after one of them, ascending by storage index in base32 and then by
   * number (`compareShares`). Read from the store while it is iterated.
   */
  entries(after?: ShareKey): AsyncIterable<ShareEntry>
  /** Deletes a share, durably; nothing where there is none. Whoever reads it may read on. */
  remove(storageIndex: StorageIndex, shareNumber: number): Promise<void>
  /**
   * Takes a damaged share out of service: it is not shown any more, durably, and kept apart for
   * whoever wants to see it; nothing here ever deletes it. `reader` is the one that found it so.
   *
   * @returns false if another share has its name since the reader was opened, or none; it stays then
   */
  setAside(storageIndex: StorageIndex, shareNumber: number, reader: ShareReader): Promise<boolean>
  /** Shares that were set aside and of which no other copy has come since, ascending as `entries`. */
  damaged(): Promise<ShareKey[]>
  /** How much could still be written. */
  space(): Promise<Space>
}

export interface Space {
  /** Bytes that could still be written, before any reserve. */
  freeBytes: number
  totalBytes: number
}

export interface ShareTotals {
  shareCount: number
  /** Bytes of all shares, as the files are long. */
  shareBytes: number
  /** Bytes that they take on the disk, in whole blocks. */
  diskBytes: number
}

/** What names a share. */
export interface ShareKey {
  storageIndex: StorageIndex
  shareNumber: number
}

export interface ShareEntry extends ShareKey {
  shareBytes: number
}

export interface ShareWriter {
  /** Appends; `pieces` are borrowed until it resolves. Throws a RangeError beyond the size declared. */
  write(pieces: readonly Uint8Array[]): Promise<void>
  /**
   * Makes the share durable and visible, in this order: sync file, rename, sync directory. A share
   * of the same name is replaced; two commits of one name must not overlap. Throws a RangeError
   * when fewer bytes were written than declared. After a failure the share is not there, and the
   * one thing left to do is `abort`.
   */
  commit(): Promise<void>
  /** Removes what was written; after `commit`, or twice, it does nothing. Never throws. */
  abort(): Promise<void>
}

export interface ShareReader {
  readonly shareBytes: number
  /** Exactly the bytes [position, position+length); E_IO when the file is shorter. The caller owns them. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}
