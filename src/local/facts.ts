/** What a file system knows of one name in a directory, whoever holds the content. */
import { type DirectoryEntry, sizeOfEntry, type Timestamp } from '../tree/entry.ts'
import type { EntryMeta } from '../tree/entry-meta.ts'

export type LocalKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'char-device' | 'block-device'

/** By their number in what is kept on this machine and passed between threads: append-only. */
export const localKinds: readonly LocalKind[] = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'char-device',
  'block-device',
]

export interface EntryFacts {
  /** One name, as in a `DirectoryEntry`; empty for the root of a tree. */
  name: Uint8Array
  kind: LocalKind
  /** 0 … 0o7777. */
  mode: number
  mtime: Timestamp
  meta: EntryMeta
  /** Of a file; 0 of all else. */
  sizeBytes: number
  /** Of a symbolic link, and of nothing else. */
  target?: Uint8Array
}

/** What an entry of a stored directory says of the file system's side. */
export function factsOf(entry: DirectoryEntry): EntryFacts {
  const { name, kind, mode, mtime, meta, content } = entry
  const facts = { name, mode, mtime, meta, sizeBytes: sizeOfEntry(entry) ?? 0 }
  switch (kind) {
    case 'lit':
    case 'file':
    case 'tree':
      return { ...facts, kind: 'file' }
    case 'symlink':
      return { ...facts, kind, target: content }
    default:
      return { ...facts, kind }
  }
}
