/**
 * Where a server keeps share files: in memory or on disk, under one suite
 * (test/suites/share-store.ts). It keeps bytes; whether they are right is LocalPeer's business.
 */
import type { StorageIndex } from './peer.ts'

export interface ShareStore {
  /** Readies the store: removes temporary files of puts that never ended. Call once, first. */
  open(): Promise<void>
  /** Share numbers held of an object, ascending. */
  list(storageIndex: StorageIndex): Promise<number[]>
  /** Begins a new share of exactly `shareBytes`. Nothing is visible under its name before `commit`. */
  create(storageIndex: StorageIndex, shareNumber: number, shareBytes: number): Promise<ShareWriter>
  /** Opens a share for reading, or undefined where there is none. */
  read(storageIndex: StorageIndex, shareNumber: number): Promise<ShareReader | undefined>
  /** Every share held, in no order. */
  entries(): AsyncIterable<{ storageIndex: StorageIndex; shareNumber: number; shareBytes: number }>
  /** Bytes that could still be written, before any reserve, and bytes in all. */
  space(): Promise<{ freeBytes: number; totalBytes: number }>
}

export interface ShareWriter {
  /** Appends; `pieces` are borrowed until it resolves. */
  write(pieces: readonly Uint8Array[]): Promise<void>
  /** Makes the share durable and visible, in this order: sync file, rename, sync directory. */
  commit(): Promise<void>
  /** Removes what was written; after `commit`, or twice, it does nothing. Never throws. */
  abort(): Promise<void>
}

export interface ShareReader {
  readonly shareBytes: number
  /** Exactly the bytes [position, position+length); E_IO when the file is shorter. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}
