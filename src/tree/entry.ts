/**
 * Entries of a directory (docs/specs/directory.md, "Entries"). A name is bytes, not text: whatever
 * a file system allows, but for what would lead out of the directory.
 */
import type { EntryMeta } from './entry-meta.ts'
import type { ChildRow } from './file-node.ts'
import type { NodeRef } from './node-ref.ts'
import { malformedNode } from './refs.ts'
import type { StreamRef } from './stream-row.ts'

/** A directory, wherever it is stored: its topmost node. */
export type DirectoryRef = NodeRef

/** A moment, to the nanosecond: two numbers, since one does not fit a safe integer. */
export interface Timestamp {
  /** Since 1970-01-01T00:00:00Z, negative before; within ±2^52. */
  seconds: number
  /** 0 … 999,999,999, forward from `seconds`. */
  nanoseconds: number
}

interface EntryOf<Kind extends string, Content> {
  /** 1 … 1,024 bytes, without 0 and `/`, and neither `.` nor `..`. */
  name: Uint8Array
  kind: Kind
  /** Permissions, set-id and sticky bits: 0 … 0o7777. */
  mode: number
  mtime: Timestamp
  meta: EntryMeta
  content: Content
}

export type DirectoryEntry =
  /** A file of at most 64 bytes: the bytes. */
  | EntryOf<'lit', Uint8Array>
  /** A file that is one sealed stream. */
  | EntryOf<'file', StreamRef>
  /** A file of more than one extent: its root node, and its size. */
  | EntryOf<'tree', ChildRow>
  | EntryOf<'directory', DirectoryRef>
  /** The target: 1 … 65,535 bytes without 0. */
  | EntryOf<'symlink', Uint8Array>
  | EntryOf<'fifo' | 'char-device' | 'block-device', undefined>

export type EntryKind = DirectoryEntry['kind']

/** By their number in rows: append-only. */
export const entryKinds: readonly EntryKind[] = [
  'lit',
  'file',
  'tree',
  'directory',
  'symlink',
  'fifo',
  'char-device',
  'block-device',
]

export const maxNameBytes = 1024
export const maxLitBytes = 64
export const maxSymlinkBytes = 65_535
export const maxSeconds: number = 2 ** 52
export const maxMode = 0o7777

const perSecond = 1_000_000_000n
const slash = 0x2f
const dot = 0x2e

/** Throws E_NODE for what is no name in a directory. */
export function checkName(name: Uint8Array): void {
  const { length } = name
  if (length < 1 || length > maxNameBytes) throw malformedNode(`a name of ${length} bytes`)
  if (name[0] === dot && (length === 1 || (length === 2 && name[1] === dot)))
    throw malformedNode('a name that leads elsewhere')
  for (let i = 0; i < length; i++) {
    if (name[i] === slash || name[i] === 0) throw malformedNode('a name with a slash or a zero')
  }
}

/** Bytes of the file, or undefined for what has no size. */
export function sizeOfEntry({ kind, content }: DirectoryEntry): number | undefined {
  if (kind === 'lit') return content.length
  if (kind === 'file' || kind === 'tree') return content.plaintextBytes
  return undefined
}

/** Throws E_NODE for what no symbolic link can hold. */
export function checkTarget(target: Uint8Array): void {
  if (target.length < 1 || target.length > maxSymlinkBytes || target.includes(0))
    throw malformedNode('a symbolic link that leads nowhere')
}

/** The moment so many nanoseconds after 1970 began. */
export function timestampOf(nanoseconds: bigint): Timestamp {
  const rest = ((nanoseconds % perSecond) + perSecond) % perSecond
  return { seconds: Number((nanoseconds - rest) / perSecond), nanoseconds: Number(rest) }
}

/** The inverse of `timestampOf`. */
export function nanosecondsOf({ seconds, nanoseconds }: Timestamp): bigint {
  return BigInt(seconds) * perSecond + BigInt(nanoseconds)
}
