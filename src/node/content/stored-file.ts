/** What is known of a file's content once it is stored, and needed to store it again without reading it. */
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'
import type { FileContent } from './file-content.ts'

/** A stored stream with the tag of its plaintext. */
export interface TaggedStream extends StreamRef {
  /** T of docs/specs/encoding.md, "Keys": 16 bytes, a keyed digest of the plaintext. */
  tag: Uint8Array
}

export type StoredFile = FileContent & {
  sizeBytes: number
  /** Of the whole content, where it is one stream; undefined of a literal and of a tree. */
  tag: Uint8Array | undefined
  /** The extents of a tree, in the order of the file; else none. */
  extents: readonly TaggedStream[]
  /** The objects that hold the nodes of a tree; else none. */
  nodes: readonly ObjectRef[]
}

/** A file all of whose objects have names, and may still be on their way. */
export type NamedFile = StoredFile & {
  /** It changed while it was read, twice: the bytes may be those of no moment. */
  fuzzy: boolean
  /** Resolves when all objects of the file are on enough servers; rejects with what kept one from it. */
  stored: Promise<void>
}
