/** What a file is once it is stored: how its directory, or its cap, names it. */
import type { ChkCap, LitCap } from '../../caps/cap.ts'
import type { ChildRow } from '../../tree/file-node.ts'
import type { StreamRef } from '../../tree/stream-row.ts'

/** The content of an entry that is a regular file, as in `DirectoryEntry`. */
export type FileContent =
  /** At most 64 bytes: the bytes. */
  | { kind: 'lit'; content: Uint8Array }
  /** One sealed stream: an extent that is an object of its own, or a small file in a bundle. */
  | { kind: 'file'; content: StreamRef }
  /** More than one extent: the root node of its tree. */
  | { kind: 'tree'; content: ChildRow }

/** Bytes of the file. */
export function sizeOfContent({ kind, content }: FileContent): number {
  return kind === 'lit' ? content.length : content.plaintextBytes
}

/** The cap of a file whose stream, or root node, is an object of its own; such a stream is not compressed. */
export function capOfContent({ kind, content }: FileContent): ChkCap | LitCap {
  if (kind === 'lit') return { type: 'LIT', data: content }
  const { object, readKey, plaintextBytes: sizeBytes } = content
  const { root, k, n } = object
  return { type: 'CHK', readKey, root, k, n, sizeBytes }
}
