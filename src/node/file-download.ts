/**
 * Reads a range of a file behind a cap (docs/specs/tree.md, "Reading"). Every byte handed on has
 * passed the hash of its block and of its segment, under a root that the cap commits to.
 */
import { GridError } from '../base/errors.ts'
import type { ChkCap } from '../caps/cap.ts'
import { maxExtentBytes } from '../encoding/chunker.ts'
import { type Coding, segmentBytes } from '../encoding/descriptor.ts'
import type { DecodedSegments } from '../encoding/encoder.ts'
import { commitmentBytes, commits, decrypt } from '../encoding/seal.ts'
import { coveredBytes, type FileNode, openFileNode } from '../tree/file-node.ts'
import { extentsOf } from '../tree/file-reader.ts'
import { beginsNode } from '../tree/node-slice.ts'
import { malformedNode } from '../tree/refs.ts'
import type { SegmentRange } from './object-download.ts'

/** Fetches checked segments of an object. */
export type SegmentReader = (
  range: SegmentRange,
  options: { signal?: AbortSignal },
) => Promise<DecodedSegments>

/** Extents fetched ahead of the reader, so that one is on its way while another is handed on. */
const readAhead = 4

interface Sealed {
  object: Coding & { root: Uint8Array }
  readKey: Uint8Array
  plaintextBytes: number
}

/**
 * Yields bytes [fromByte, toByte) of the file, in order, in pieces of up to 4 MiB that the caller
 * owns. 0 ≤ fromByte ≤ toByte ≤ size.
 */
export async function* downloadFile(
  readSegments: SegmentReader,
  cap: ChkCap,
  fromByte: number,
  toByte: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  const start = await openStart(readSegments, cap, fromByte, toByte, options)
  if (start.node === undefined) {
    if (toByte > fromByte)
      yield await readSealed(readSegments, { ...start, fromByte, toByte }, options)
    return
  }
  const readNode = async ({
    object,
    readKey,
  }: {
    object: Coding & { root: Uint8Array }
    readKey: Uint8Array
  }) => {
    const { ciphertext } = await readSegments(
      { object, firstSegment: 0, segmentCount: allSegments },
      options,
    )
    return openFileNode(ciphertext, readKey)
  }
  const ahead: Promise<Uint8Array>[] = []
  try {
    for await (const extent of extentsOf(start.node, fromByte, toByte, readNode)) {
      const from = Math.max(0, fromByte - extent.startByte)
      const to = Math.min(extent.plaintextBytes, toByte - extent.startByte)
      const piece = readSealed(
        readSegments,
        { sealed: extent, fromByte: from, toByte: to },
        options,
      )
      piece.catch(() => undefined)
      ahead.push(piece)
      if (ahead.length >= readAhead) yield await ahead.shift()!
    }
    for (const piece of ahead.splice(0)) yield await piece
  } finally {
    await Promise.allSettled(ahead)
  }
}

const allSegments = 128

/** What the cap's object turned out to be: a node, or a sealed file of which some segments are here. */
type Start = { node: FileNode } | { node?: undefined; sealed: Sealed; have: Run }

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
  options: { signal?: AbortSignal },
): Promise<Start> {
  const { readKey, sizeBytes: plaintextBytes } = cap
  const object = { root: cap.root, k: cap.k, n: cap.n }
  // One extent at most: fetch what is wanted with the first segment, which tells what the object is.
  const direct = plaintextBytes <= maxExtentBytes && fromByte < segmentBytes
  const segmentCount = direct ? segmentsFor(0, toByte).segmentCount : 1
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
  return { sealed: { object, readKey, plaintextBytes }, have: { firstSegment: 0, ciphertext } }
}

/** Bytes [fromByte, toByte) of a sealed file, of which `have` may hold some segments already. */
async function readSealed(
  readSegments: SegmentReader,
  wanted: { sealed: Sealed; fromByte: number; toByte: number; have?: Run },
  options: { signal?: AbortSignal },
): Promise<Uint8Array> {
  const { sealed, fromByte, toByte, have } = wanted
  const { object, readKey } = sealed
  const { firstSegment, segmentCount } = segmentsFor(fromByte, toByte)
  const endByte = Math.min((firstSegment + segmentCount) * segmentBytes, commitmentBytes + toByte)
  let run = have
  if (run === undefined || run.ciphertext.length < endByte) {
    const { ciphertext } = await readSegments({ object, firstSegment, segmentCount }, options)
    run = { firstSegment, ciphertext }
  }
  if (have === undefined) {
    const start =
      firstSegment === 0
        ? run
        : await readSegments({ object, firstSegment: 0, segmentCount: 1 }, options)
    checkCommitment(start.ciphertext, readKey)
  }
  const runStart = run.firstSegment * segmentBytes
  const slice = run.ciphertext.subarray(
    commitmentBytes + fromByte - runStart,
    commitmentBytes + toByte - runStart,
  )
  if (slice.length !== toByte - fromByte) {
    throw new GridError('E_SIZE', 'the object is too short for the size that is told of it')
  }
  return decrypt(readKey, fromByte, slice)
}

/** The run of segments that holds bytes [fromByte, toByte) of a sealed stream at the object's start. */
function segmentsFor(
  fromByte: number,
  toByte: number,
): { firstSegment: number; segmentCount: number } {
  const firstSegment = Math.floor((commitmentBytes + fromByte) / segmentBytes)
  const endSegment = Math.ceil((commitmentBytes + Math.max(toByte, fromByte + 1)) / segmentBytes)
  return { firstSegment, segmentCount: endSegment - firstSegment }
}

function checkCommitment(start: Uint8Array, readKey: Uint8Array): void {
  if (!commits(start.subarray(0, commitmentBytes), 'raw', readKey)) {
    throw new GridError(
      'E_COMMIT',
      'the key of this cap does not open its object: the cap is wrong',
    )
  }
}
