/**
 * What is stored, as fields of rows and of journal records (docs/specs/backup-cache.md, "Content").
 * How an object is named is the business of whoever holds the row.
 */
import { type CachedKeys, checkBytes, tagBytes } from './cached-keys.ts'
import { type KnownStream, checkOf } from '../../node/content/known-stream.ts'
import { keyBytes } from '../../caps/keys.ts'
import { compressions, maxStreamBytes } from '../../encoding/compression.ts'
import { maxCiphertextBytes } from '../../encoding/padme.ts'
import { sealedLength } from '../../encoding/seal.ts'
import type { SnapshotTotals } from '../../log/snapshot-body.ts'
import type { FileContent } from '../../node/content/file-content.ts'
import type { TaggedStream } from '../../node/content/stored-file.ts'
import { maxLitBytes } from '../../tree/entry.ts'
import type { NodeRef } from '../../tree/node-ref.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'
import type { RowBuilder, RowParser } from './row-bytes.ts'
import { damagedCache } from './sealed-page.ts'

/** Writes which object something is in. */
export interface ObjectSink {
  write(out: RowBuilder, object: ObjectRef): void
}

/** The inverse of the sink that the row was written with. Throws E_CACHE. */
export interface ObjectSource {
  read(row: RowParser): ObjectRef
}

/** A stream as it lies in a row: with its read key, or with the check of it. */
export interface KeptStream extends Omit<KnownStream, 'check'> {
  tag: Uint8Array
  check: Uint8Array | undefined
}

/** A file's content but for the extents and nodes of a tree; of a stream with its tag. */
export type KeptContent = FileContent & { tag?: Uint8Array }

const contentKinds = ['lit', 'file', 'tree'] as const
export const contentNumbers = { lit: 0, file: 1, tree: 2 } as const

/** tag (16) ‖ K (32), or its check (8) ‖ object ‖ offset ‖ plaintext bytes ‖ codec ‖ stored bytes, unless as it is */
export function writeStream(
  out: RowBuilder,
  tag: Uint8Array | undefined,
  stream: StreamRef,
  objects: ObjectSink,
  keys: CachedKeys,
): void {
  const { readKey, object, offset, plaintextBytes, compression, storedBytes } = stream
  if (tag?.length !== tagBytes) throw new RangeError('backup cache: a stream without its tag')
  out.bytes(tag).bytes(keys === 'kept' ? readKey : checkOf(readKey))
  objects.write(out, object)
  out.varint(offset).varint(plaintextBytes).byte(compressions.indexOf(compression))
  if (compression !== 'stored') out.varint(storedBytes)
}

export function readStream(row: RowParser, objects: ObjectSource, keys: CachedKeys): KeptStream {
  const tag = row.bytes(tagBytes).slice()
  const readKey = keys === 'kept' ? row.bytes(keyBytes).slice() : undefined
  const check = readKey === undefined ? row.bytes(checkBytes).slice() : undefined
  const object = objects.read(row)
  const offset = row.varint(0, maxCiphertextBytes)
  const plaintextBytes = row.varint(1, maxStreamBytes)
  const compression = compressions[row.byte(compressions.length - 1)]
  const storedBytes =
    compression === 'stored' ? plaintextBytes : row.varint(1, object.ciphertextBytes)
  if (offset + sealedLength(storedBytes) > object.ciphertextBytes)
    throw damagedCache('a stream that its object has no room for')
  return { tag, readKey, check, object, offset, plaintextBytes, compression, storedBytes }
}

/** The same for whoever asked by its tag. */
export function knownStream(stream: KeptStream): KnownStream {
  const { readKey, check = checkOf(readKey!) } = stream
  return { ...shapeOf(stream), readKey, check }
}

/** A stream with its key: of rows that keep them. Throws E_CACHE. */
export function readTaggedStream(row: RowParser, objects: ObjectSource): TaggedStream {
  const stream = readStream(row, objects, 'kept')
  return { ...shapeOf(stream), tag: stream.tag, readKey: stream.readKey! }
}

function shapeOf({ object, offset, plaintextBytes, compression, storedBytes }: KeptStream) {
  return { object, offset, plaintextBytes, compression, storedBytes }
}

/** K (32), where keys are kept ‖ object ‖ offset ‖ slice bytes */
export function writeNode(
  out: RowBuilder,
  { readKey, object, offset, sliceBytes }: NodeRef,
  objects: ObjectSink,
  keys: CachedKeys,
): void {
  if (keys === 'kept') out.bytes(readKey)
  objects.write(out, object)
  out.varint(offset).varint(sliceBytes)
}

/** A node with its key: of rows that keep them. */
export function readNode(row: RowParser, objects: ObjectSource): NodeRef {
  const readKey = row.bytes(keyBytes).slice()
  const object = objects.read(row)
  const offset = row.varint(0, object.ciphertextBytes)
  const sliceBytes = row.varint(0, object.ciphertextBytes - offset)
  return { readKey, object, offset, sliceBytes }
}

/** kind ‖ bytes of a literal | stream | root node ‖ plaintext bytes. A literal only where keys are kept. */
export function writeContent(
  out: RowBuilder,
  { kind, content, tag }: FileContent & { tag: Uint8Array | undefined },
  objects: ObjectSink,
  keys: CachedKeys,
): void {
  out.byte(contentNumbers[kind])
  if (kind === 'lit') out.text(content)
  else if (kind === 'file') writeStream(out, tag, content, objects, keys)
  else {
    writeNode(out, content, objects, keys)
    out.varint(content.plaintextBytes)
  }
}

/** Of rows that keep keys. */
export function readContent(row: RowParser, objects: ObjectSource): KeptContent {
  const kind = readContentKind(row)
  if (kind === 'lit') return { kind, content: row.text(maxLitBytes).slice() }
  if (kind === 'file') {
    const { tag, ...content } = readTaggedStream(row, objects)
    return { kind, content, tag }
  }
  const node = readNode(row, objects)
  return { kind, content: { ...node, plaintextBytes: row.varint(1) } }
}

export function readContentKind(row: RowParser): (typeof contentKinds)[number] {
  return contentKinds[row.byte(contentKinds.length - 1)]
}

/** bytes ‖ files ‖ directories */
export function writeTotals(out: RowBuilder, totals: SnapshotTotals): void {
  out.varint(totals.bytes).varint(totals.files).varint(totals.directories)
}

export function readTotals(row: RowParser): SnapshotTotals {
  return { bytes: row.varint(), files: row.varint(), directories: row.varint(), objects: 0 }
}
