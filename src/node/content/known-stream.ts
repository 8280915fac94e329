/** Streams that need not be stored again: those of earlier runs, and those that this one has met. */
import { equalBytes } from '../../base/bytes.ts'
import { commitmentOf } from '../../caps/keys.ts'
import type { Compression } from '../../encoding/compression.ts'
import type { StreamShape } from '../../encoding/file-stream.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'

/** A stream that is stored: where, and what tells whether bytes of the same tag would be sealed to it. */
export interface KnownStream {
  object: ObjectRef
  offset: number
  plaintextBytes: number
  compression: Compression
  storedBytes: number
  /** The first 8 bytes of the commitment: of `commitmentOf(readKey, 'raw')`. */
  check: Uint8Array
  /** Undefined where it was not kept: it follows from the bytes. */
  readKey: Uint8Array | undefined
}

/** Asked once for each file or extent that is read; `tag` is borrowed. */
export type FindKnown = (tag: Uint8Array) => KnownStream | undefined

const checkBytes = 8

/** The beginning of a stream's commitment, by which a known stream is checked. */
export function checkOf(readKey: Uint8Array): Uint8Array {
  return commitmentOf(readKey, 'raw').slice(0, checkBytes)
}

/** The known stream under a key that has just been derived; undefined if it holds other bytes than `shape` says. */
export function agreeing(
  known: KnownStream | undefined,
  shape: StreamShape,
): StreamRef | undefined {
  if (known === undefined) return undefined
  const { object, offset, plaintextBytes, compression, storedBytes, check } = known
  const agrees =
    plaintextBytes === shape.plaintextBytes &&
    compression === shape.compression &&
    storedBytes === shape.storedBytes &&
    equalBytes(check, checkOf(shape.readKey))
  const { readKey } = shape
  return agrees ? { object, offset, plaintextBytes, compression, storedBytes, readKey } : undefined
}

/** The latest tags that were met, each with what became of its stream. */
export class RecentTags<T> {
  readonly #limit: number
  readonly #byTag = new Map<string, T>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get(tag: Uint8Array): T | undefined {
    return this.#byTag.get(nameOf(tag))
  }

  set(tag: Uint8Array, value: T): void {
    this.#byTag.set(nameOf(tag), value)
    if (this.#byTag.size <= this.#limit) return
    const [oldest] = this.#byTag.keys()
    this.#byTag.delete(oldest)
  }
}

function nameOf(tag: Uint8Array): string {
  return Buffer.from(tag.buffer, tag.byteOffset, tag.length).toString('latin1')
}
