/**
 * Reads a range of a file behind a cap (docs/specs/tree.md, "Reading"). Every byte handed on has
 * passed the hash of its block and of its segment, under a root that the cap commits to.
 */
import { GridError } from '../../base/errors.ts'
import type { ChkCap } from '../../caps/cap.ts'
import { maxExtentBytes } from '../../encoding/chunker.ts'
import { decompress } from '../../encoding/compression.ts'
import { segmentBytes } from '../../encoding/descriptor.ts'
import type { DecodedSegments } from '../../encoding/encoder.ts'
import { commitmentBytes, commits, decrypt } from '../../encoding/seal.ts'
import { type ChildRow, coveredBytes, type FileNode, openFileNode } from '../../tree/file-node.ts'
import { extentsOf, type PlacedExtent } from '../../tree/file-reader.ts'
import { beginsNode } from '../../tree/node-slice.ts'
import { malformedNode, type ObjectName } from '../../tree/refs.ts'
import { plainStream, type StreamName } from '../../tree/stream-row.ts'
import type { SegmentRange } from '../objects/blocks-request.ts'

/** Fetches checked segments of an object. */
export type SegmentReader = (
  range: SegmentRange,
  options: { signal?: AbortSignal },
) => Promise<DecodedSegments>

/** Extents fetched ahead of the reader, so that one is on its way while another is handed on. */
const readAhead = 4
const allSegments = 128

interface Options {
  signal?: AbortSignal
}

/**
 * Yields bytes [fromByte, toByte) of the file, in order, in pieces of up to 16 MiB that the caller
 * owns. 0 ≤ fromByte ≤ toByte ≤ size.
 */
export async function* downloadFile(
  readSegments: SegmentReader,
  cap: ChkCap,
  fromByte: number,
  toByte: number,
  options: Options = {},
): AsyncGenerator<Uint8Array> {
  const start = await openStart(readSegments, cap, fromByte, toByte, options)
  if (start.node !== undefined) {
    yield* downloadExtents(readSegments, start.node, fromByte, toByte, options)
  } else if (toByte > fromByte) {
    yield await readStream(readSegments, { ...start, fromByte, toByte }, options)
  }
}

/** As `downloadFile`, of one sealed stream wherever it is: an entry of a directory, a slice cap. */
export async function* downloadStream(
  readSegments: SegmentReader,
  stream: StreamName,
  fromByte: number,
  toByte: number,
  options: Options = {},
): AsyncGenerator<Uint8Array> {
  if (toByte > fromByte) yield await readStream(readSegments, { stream, fromByte, toByte }, options)
}

/** As `downloadFile`, of the large file whose root node a directory names. */
export async function* downloadTree(
  readSegments: SegmentReader,
  root: ChildRow,
  fromByte: number,
  toByte: number,
  options: Options = {},
): AsyncGenerator<Uint8Array> {
  const node = await readRootNode(readSegments, root, options)
  yield* downloadExtents(readSegments, node, fromByte, toByte, options)
}

/** The extents of a large file in order, without their bytes. Throws E_NODE, and what is thrown by reading. */
export async function* treeExtents(
  readSegments: SegmentReader,
  root: ChildRow,
  options: Options = {},
): AsyncGenerator<PlacedExtent> {
  const node = await readRootNode(readSegments, root, options)
  const readNode = (row: ChildRow): Promise<FileNode> => readFileNode(readSegments, row, options)
  yield* extentsOf(node, 0, root.plaintextBytes, readNode)
}

async function readRootNode(
  readSegments: SegmentReader,
  root: ChildRow,
  options: Options,
): Promise<FileNode> {
  const node = await readFileNode(readSegments, root, options)
  if (coveredBytes(node) === root.plaintextBytes) return node
  throw malformedNode('it covers other bytes than its directory says')
}

async function* downloadExtents(
  readSegments: SegmentReader,
  node: FileNode,
  fromByte: number,
  toByte: number,
  options: Options,
): AsyncGenerator<Uint8Array> {
  const readNode = (row: ChildRow): Promise<FileNode> => readFileNode(readSegments, row, options)
  const ahead: Promise<Uint8Array>[] = []
  try {
    for await (const stream of extentsOf(node, fromByte, toByte, readNode)) {
      const from = Math.max(0, fromByte - stream.startByte)
      const to = Math.min(stream.plaintextBytes, toByte - stream.startByte)
      const piece = readStream(readSegments, { stream, fromByte: from, toByte: to }, options)
      piece.catch(() => undefined)
      ahead.push(piece)
      if (ahead.length >= readAhead) yield await ahead.shift()!
    }
    for (const piece of ahead.splice(0)) yield await piece
  } finally {
    await Promise.allSettled(ahead)
  }
}

async function readFileNode(
  readSegments: SegmentReader,
  row: ChildRow,
  options: Options,
): Promise<FileNode> {
  const { object, offset, sliceBytes, readKey } = row
  const run = await readRun(readSegments, object, offset, offset + sliceBytes, options)
  return openFileNode(bytesOf(run, offset, offset + sliceBytes), readKey, { object, offset })
}

/** What the cap's object turned out to be: a node, or a sealed file of which some segments are here. */
type Start = { node: FileNode } | { node?: undefined; stream: StreamName; have: Run }

/** A run of checked segments. */
interface Run {
  firstSegment: number
  ciphertext: Uint8Array
}

async function openStart(
  readSegments: SegmentReader,
  cap: ChkCap,
  fromByte: number,
  toByte: number,
  options: Options,
): Promise<Start> {
  const { readKey, sizeBytes: plaintextBytes } = cap
  const object = { root: cap.root, k: cap.k, n: cap.n }
  // One extent at most: fetch what is wanted with the first segment, which tells what the object is.
  const direct = plaintextBytes <= maxExtentBytes && fromByte < segmentBytes
  const segmentCount = direct
    ? Math.ceil((commitmentBytes + Math.max(toByte, 1)) / segmentBytes)
    : 1
  const { ciphertext, ciphertextBytes } = await readSegments(
    { object, firstSegment: 0, segmentCount },
    options,
  )
  if (beginsNode(ciphertext, 'tree', readKey)) {
    const whole = ciphertext.length === ciphertextBytes
    const all = whole
      ? ciphertext
      : (await readSegments({ object, firstSegment: 0, segmentCount: allSegments }, options))
          .ciphertext
    const node = openFileNode(all, readKey)
    if (coveredBytes(node) !== plaintextBytes)
      throw malformedNode('it covers other bytes than the cap says')
    return { node }
  }
  checkCommitment(ciphertext, readKey)
  const stream = plainStream(object, plaintextBytes, readKey)
  return { stream, have: { firstSegment: 0, ciphertext } }
}

interface Wanted {
  stream: StreamName
  fromByte: number
  toByte: number
  /** Segments that are here already, of a stream whose commitment has been compared. */
  have?: Run
}

/** Bytes [fromByte, toByte) of a stream; of a compressed one all of it must be fetched. */
async function readStream(
  readSegments: SegmentReader,
  wanted: Wanted,
  options: Options,
): Promise<Uint8Array> {
  const { stream, fromByte, toByte } = wanted
  const { compression, storedBytes, plaintextBytes } = stream
  if (compression === 'stored') return readStored(readSegments, wanted, options)
  const whole = { stream, fromByte: 0, toByte: storedBytes }
  const stored = await readStored(readSegments, whole, options)
  return decompress(compression, stored, plaintextBytes).slice(fromByte, toByte)
}

/** Bytes [fromByte, toByte) of what was sealed. */
async function readStored(
  readSegments: SegmentReader,
  { stream, fromByte, toByte, have }: Wanted,
  options: Options,
): Promise<Uint8Array> {
  const { object, readKey, offset } = stream
  const bodyByte = offset + commitmentBytes
  const [start, end] = [bodyByte + fromByte, bodyByte + toByte]
  let run = have
  if (run === undefined || !isIn(run, start, end)) {
    // The commitment is fetched in the same request where it is in the segment before.
    const isNear = segmentOf(start) - segmentOf(offset) <= 1
    const first = have === undefined && isNear ? offset : start
    run = await readRun(readSegments, object, first, end, options)
  }
  if (have === undefined) {
    const near = isIn(run, offset, bodyByte)
      ? run
      : await readRun(readSegments, object, offset, bodyByte, options)
    checkCommitment(bytesOf(near, offset, bodyByte), readKey)
  }
  const ciphertext = bytesOf(run, start, end)
  if (ciphertext.length !== toByte - fromByte) {
    throw new GridError('E_SIZE', 'the object is too short for the size that is told of it')
  }
  return decrypt(readKey, fromByte, ciphertext)
}

/** The segments that hold bytes [start, end) of an object's ciphertext. */
async function readRun(
  readSegments: SegmentReader,
  object: ObjectName,
  start: number,
  end: number,
  options: Options,
): Promise<Run> {
  const firstSegment = segmentOf(start)
  const segmentCount = Math.max(1, Math.ceil(end / segmentBytes) - firstSegment)
  const { root, k, n } = object
  const range = { object: { root, k, n }, firstSegment, segmentCount }
  const { ciphertext } = await readSegments(range, options)
  return { firstSegment, ciphertext }
}

function segmentOf(byte: number): number {
  return Math.floor(byte / segmentBytes)
}

/** Bytes [start, end) of an object; fewer where it ends. */
function bytesOf({ firstSegment, ciphertext }: Run, start: number, end: number): Uint8Array {
  const runStart = firstSegment * segmentBytes
  return ciphertext.subarray(start - runStart, end - runStart)
}

function isIn({ firstSegment, ciphertext }: Run, start: number, end: number): boolean {
  const runStart = firstSegment * segmentBytes
  return start >= runStart && end <= runStart + ciphertext.length
}

function checkCommitment(start: Uint8Array, readKey: Uint8Array): void {
  if (!commits(start.subarray(0, commitmentBytes), 'raw', readKey)) {
    throw new GridError(
      'E_COMMIT',
      'the key of this cap does not open its object: the cap is wrong',
    )
  }
}
