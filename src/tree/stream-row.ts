/**
 * Rows that name a sealed stream of file bytes: an extent of a large file, or a small file in a
 * bundle (docs/specs/tree.md, "Streams").
 *
 *   [object number, offset, plaintext bytes, K]                                as it is
 *   [object number, offset, plaintext bytes, K, codec, stored bytes]           compressed
 */
import type { CborValue } from '../base/cbor.ts'
import { keyBytes } from '../caps/keys.ts'
import { compressions, maxStreamBytes } from '../encoding/compression.ts'
import type { StreamShape } from '../encoding/file-stream.ts'
import { maxCiphertextBytes } from '../encoding/padme.ts'
import { commitmentBytes, sealedLength } from '../encoding/seal.ts'
import {
  asArray,
  asBytes,
  asInteger,
  malformedNode,
  type ObjectName,
  objectWith,
  type ObjectRef,
  type Refs,
  type RefTable,
} from './refs.ts'

/** A sealed stream whose cap is at hand: the length of its object is not known yet. */
export interface StreamName extends StreamShape {
  object: ObjectName
  /** Where its commitment starts in the ciphertext. */
  offset: number
}

/** A sealed stream, with all that a reference to it needs. */
export interface StreamRef extends StreamName {
  object: ObjectRef
}

/** A stream that is stored as it is, at the start of its object. */
export function plainStream<O extends ObjectName>(
  object: O,
  plaintextBytes: number,
  readKey: Uint8Array,
): StreamShape & { object: O; offset: number } {
  const shape = { compression: 'stored' as const, storedBytes: plaintextBytes }
  return { object, offset: 0, plaintextBytes, readKey, ...shape }
}

export function formatStream(table: RefTable, stream: StreamRef): CborValue {
  const { object, offset, plaintextBytes, readKey, compression, storedBytes } = stream
  const row = [table.object(object), offset, plaintextBytes, readKey]
  return compression === 'stored' ? row : [...row, compressions.indexOf(compression), storedBytes]
}

/** Throws E_NODE for anything but a stream that its object has room for. */
export function parseStream(value: CborValue | undefined, refs: Refs): StreamRef {
  const parts = asArray(value)
  if (parts.length !== 4 && parts.length !== 6) throw malformedNode('a row of another shape')
  const [number, start, size, key, codec, stored] = parts
  const offset = asInteger(start, 0, maxCiphertextBytes)
  const plaintextBytes = asInteger(size, 1, maxStreamBytes)
  const compressed = parts.length === 6
  const storedBytes = compressed
    ? asInteger(stored, 1, maxCiphertextBytes - commitmentBytes)
    : plaintextBytes
  const readKey = asBytes(key, keyBytes)
  const compression = compressed
    ? compressions[asInteger(codec, 1, compressions.length - 1)]
    : 'stored'
  const object = objectWith(refs, number, offset, sealedLength(storedBytes))
  return { object, offset, plaintextBytes, readKey, compression, storedBytes }
}
