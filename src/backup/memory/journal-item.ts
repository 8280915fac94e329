/**
 * What a journal says was stored (docs/specs/backup-cache.md, "Journal").
 *
 *   0 ‖ path ‖ fingerprint ‖ content ‖ nodes ‖ extents     a file
 *   1 ‖ path ‖ fingerprint ‖ index ‖ stream                an extent of a file under way
 *   2 ‖ streams                                            either, where no keys are kept
 */
import { fingerprintBytes } from '../../local/fingerprint.ts'
import { sizeOfContent } from '../../node/content/file-content.ts'
import type { StoredFile, TaggedStream } from '../../node/content/stored-file.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import { objectRecord, objectRecordBytes, parseObjectRecord } from './object-table.ts'
import type { RowBuilder, RowParser } from './row-bytes.ts'
import {
  type KeptStream,
  readContent,
  readStream,
  readTaggedStream,
  writeContent,
  writeStream,
} from './stored-rows.ts'

/** Which file, and as it was when. */
export interface FileState {
  /** From the root of the tree, as bytes. */
  path: Uint8Array
  fingerprint: Uint8Array
}

export type JournalItem =
  | (FileState & { kind: 'file'; file: StoredFile })
  | (FileState & { kind: 'extent'; index: number; stream: TaggedStream })
  | { kind: 'streams'; streams: readonly KeptStream[] }

export const maxPathBytes: number = 2 ** 20

const itemKinds = ['file', 'extent', 'streams'] as const
/** A journal has no table: an object is named in full. */
const objects = {
  write: (out: RowBuilder, object: ObjectRef): void => void out.bytes(objectRecord(object)),
  read: (row: RowParser): ObjectRef => parseObjectRecord(row.bytes(objectRecordBytes)),
}

export function writeFileItem(
  out: RowBuilder,
  { path, fingerprint }: FileState,
  file: StoredFile,
): void {
  out.byte(0).text(path).bytes(fingerprint)
  writeContent(out, file, objects, 'kept')
  out.varint(file.nodes.length)
  for (const node of file.nodes) objects.write(out, node)
  out.varint(file.extents.length)
  for (const extent of file.extents) writeStream(out, extent.tag, extent, objects, 'kept')
}

export function writeExtentItem(
  out: RowBuilder,
  { path, fingerprint }: FileState,
  index: number,
  stream: TaggedStream,
): void {
  out.byte(1).text(path).bytes(fingerprint).varint(index)
  writeStream(out, stream.tag, stream, objects, 'kept')
}

export function writeStreamItem(out: RowBuilder, streams: readonly TaggedStream[]): void {
  out.byte(2).varint(streams.length)
  for (const stream of streams) writeStream(out, stream.tag, stream, objects, 'none')
}

/** The next item of a record. Throws E_CACHE. */
export function readItem(row: RowParser): JournalItem {
  const kind = itemKinds[row.byte(itemKinds.length - 1)]
  if (kind === 'streams')
    return { kind, streams: readMany(row, () => readStream(row, objects, 'none')) }
  const path = row.text(maxPathBytes).slice()
  const fingerprint = row.bytes(fingerprintBytes).slice()
  if (kind === 'extent') {
    const index = row.varint()
    return { kind, path, fingerprint, index, stream: readTaggedStream(row, objects) }
  }
  const { tag, ...content } = readContent(row, objects)
  const nodes = readMany(row, () => objects.read(row))
  const extents = readMany(row, () => readTaggedStream(row, objects))
  const file = { ...content, sizeBytes: sizeOfContent(content), tag, nodes, extents }
  return { kind, path, fingerprint, file }
}

/** All streams of an item that have a tag. */
export function streamsOf(item: JournalItem): readonly KeptStream[] {
  if (item.kind === 'streams') return item.streams
  const streams = item.kind === 'file' ? taggedStreams(item.file) : [item.stream]
  return streams.map((stream) => ({ ...stream, check: undefined }))
}

/** The streams of a file that have a tag. */
export function taggedStreams(file: StoredFile): readonly TaggedStream[] {
  if (file.kind === 'file') return [{ ...file.content, tag: file.tag! }]
  return file.extents
}

/** Each takes a byte at least, so a count that is a lie ends with the record. */
function readMany<T>(row: RowParser, read: () => T): T[] {
  const all: T[] = []
  for (let left = row.varint(); left > 0; left--) all.push(read())
  return all
}
