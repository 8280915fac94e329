/** Takes files one after the other, and tells of each what became of it as soon as that is known. */
import type { Compression } from '../encoding/compression.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { FileInput } from './file-upload.ts'
import type { StoredFile, TaggedStream } from './stored-file.ts'

/** A stream that is stored already. */
export interface KnownStream {
  object: ObjectRef
  offset: number
  plaintextBytes: number
  compression: Compression
  storedBytes: number
  /** The first 8 bytes of its commitment: whether a key that was derived again is its own. */
  check: Uint8Array
  readKey: Uint8Array | undefined
}

export interface FileToStore<T> {
  /** What the caller knows it by. */
  item: T
  input: FileInput & { sizeBytes?: number }
  /** Called once `input` is not needed any more; not if everything is given up before. */
  close?: () => void
  /** The beginning of a large file that was stored before: it is not read again. */
  storedExtents?: readonly TaggedStream[]
}

export type KeptFile = StoredFile & {
  /** Whether it changed while it was read, and once more when it was read again. */
  fuzzy: boolean
  /** Resolves when every object of it is on enough servers; it may be ignored. */
  stored: Promise<void>
}

export interface FileStore<T> {
  /**
   * Takes a file as soon as there is room for it. Its content is known once its objects have names:
   * of a small one not before its bundle is full, or ended.
   */
  add(file: FileToStore<T>): Promise<{ content: Promise<KeptFile> }>
  /** Ends the bundle that is being filled. */
  endBundle(): Promise<void>
}
