/**
 * Objects: one ciphertext cut into n shares, and back (docs/specs/encoding.md, "Object").
 *
 * Both directions are pure and synchronous; they run in worker threads.
 */
import { equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes, hmac, taggedHash } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import { checkCoding, type Coding, formatDescriptor, rootOf, segmentBytes } from './descriptor.ts'
import type { ErasureCode } from './erasure-code.ts'
import { maxCiphertextBytes, minCiphertextBytes, paddedLength } from './padme.ts'
import { keystream } from './seal.ts'
import {
  blockLeaf,
  blockLength,
  blockOffset,
  ciphertextListOf,
  formatShareHeader,
  leafAt,
  segmentLeaf,
  segmentLength,
  type ShareHeader,
  shareLayout,
  shareRootOf,
} from './share.ts'

export interface EncodedObject {
  /** What the cap commits to, 32 bytes. */
  root: Uint8Array
  /** n share files of equal length, by share number: views of one buffer. */
  shares: Uint8Array[]
  ciphertextBytes: number
}

/** Pads sealed content to its Padmé length, in place: `buffer` has that length and starts with the content. */
export function pad(buffer: Uint8Array, contentBytes: number, padKey: Uint8Array): void {
  if (buffer.length !== paddedLength(contentBytes))
    throw new RangeError('pad: buffer of another length')
  if (buffer.length === contentBytes) return
  const key = hmac(padKey, taggedHash(tags.pad, buffer.subarray(0, contentBytes)))
  buffer.set(keystream(key, buffer.length - contentBytes), contentBytes)
}

/** Bytes that all shares of an object take together. */
export function encodedLength(ciphertextBytes: number, coding: Coding): number {
  return coding.n * shareLayout({ ...coding, ciphertextBytes }).shareBytes
}

/**
 * Cuts a padded ciphertext into shares.
 *
 * @param ciphertext - 1,024 … 2^24 bytes, borrowed
 * @param out - where the shares are laid end to end: at least `encodedLength`; a new buffer if absent
 * @throws RangeError for another length or coding: nobody could read such an object
 */
export function encodeObject(
  ciphertext: Uint8Array,
  coding: Coding,
  code: ErasureCode,
  out?: Uint8Array,
): EncodedObject {
  checkCoding(coding)
  const { length } = ciphertext
  if (length < minCiphertextBytes || length > maxCiphertextBytes) {
    throw new RangeError(`object: a ciphertext of ${length} bytes`)
  }
  const { k, n } = coding
  const { segmentCount, headerBytes, shareBytes } = shareLayout({
    ...coding,
    ciphertextBytes: ciphertext.length,
  })
  const buffer = out ?? new Uint8Array(n * shareBytes)
  const shares = Array.from({ length: n }, (_, i) =>
    buffer.subarray(i * shareBytes, (i + 1) * shareBytes),
  )
  const segmentLeaves = new Uint8Array(segmentCount * hashBytes)
  const blockLeaves = shares.map(() => new Uint8Array(segmentCount * hashBytes))

  for (let s = 0; s < segmentCount; s++) {
    const segment = ciphertext.subarray(s * segmentBytes, (s + 1) * segmentBytes)
    segmentLeaves.set(segmentLeaf(s, segment), s * hashBytes)
    const offset = headerBytes + s * blockLength(k, segmentBytes)
    const blocks = shares.map((share) =>
      share.subarray(offset, offset + blockLength(k, segment.length)),
    )
    splitSegment(segment, blocks.slice(0, k))
    code.encode(blocks.slice(0, k), n, blocks.slice(k))
    for (const [i, block] of blocks.entries())
      blockLeaves[i]?.set(blockLeaf(i, s, block), s * hashBytes)
  }

  const descriptor = formatDescriptor({
    k,
    n,
    ciphertextBytes: ciphertext.length,
    ciphertextList: ciphertextListOf(segmentLeaves),
    shareRoots: blockLeaves.map((leaves, i) => shareRootOf(i, leaves)),
  })
  for (const [i, share] of shares.entries()) {
    share.set(formatShareHeader(i, descriptor, blockLeaves[i], segmentLeaves))
  }
  return { root: rootOf(descriptor), shares, ciphertextBytes: ciphertext.length }
}

/** Blocks of a run of segments of one share, with its checked header. */
export interface ShareBlocks {
  header: ShareHeader
  /** The blocks end to end. */
  blocks: Uint8Array
}

/**
 * Finds the first block that does not match its leaf. Returns its segment, or undefined when all
 * match and `blocks` is exactly the run asked for.
 */
export function badBlock(
  { header, blocks }: ShareBlocks,
  firstSegment: number,
  segmentCount: number,
): number | undefined {
  const start = blockOffset(header.descriptor, firstSegment)
  for (let s = firstSegment; s < firstSegment + segmentCount; s++) {
    const from = blockOffset(header.descriptor, s) - start
    const block = blocks.subarray(from, blockOffset(header.descriptor, s + 1) - start)
    if (!equalBytes(blockLeaf(header.shareNumber, s, block), leafAt(header.blockLeaves, s)))
      return s
  }
  return blocks.length === blockOffset(header.descriptor, firstSegment + segmentCount) - start
    ? undefined
    : firstSegment
}

/**
 * Rebuilds a run of segments from k shares whose blocks have been checked, and checks each segment
 * before it is handed on. The result may be a view of the blocks.
 *
 * @param shares - k shares of distinct numbers of one object, all headers with the cap's root
 * @throws E_ENCODING when checked blocks give a wrong segment: whoever made the object was
 *   malformed, and other shares would give other bytes, so none are taken
 */
export function decodeSegments(
  shares: readonly ShareBlocks[],
  firstSegment: number,
  segmentCount: number,
  code: ErasureCode,
): Uint8Array {
  const [first] = shares
  if (shares.length !== first?.header.descriptor.k) {
    throw new RangeError('decode: expected exactly k shares')
  }
  const { descriptor, segmentLeaves } = first.header
  const { k, n, ciphertextBytes } = descriptor
  const start = blockOffset(descriptor, firstSegment)
  const endByte = Math.min((firstSegment + segmentCount) * segmentBytes, ciphertextBytes)
  const runBytes = endByte - firstSegment * segmentBytes
  // the one data share of a 1-of-n object is the ciphertext itself
  const isWhole = k === 1 && first.header.shareNumber === 0 && first.blocks.length >= runBytes
  const out = isWhole ? first.blocks.subarray(0, runBytes) : new Uint8Array(runBytes)
  for (let s = firstSegment; s < firstSegment + segmentCount; s++) {
    const from = blockOffset(descriptor, s) - start
    const length = segmentLength(ciphertextBytes, s)
    const rows = shares.map(({ header, blocks }) => ({
      rowNumber: header.shareNumber,
      bytes: blocks.subarray(from, from + blockLength(k, length)),
    }))
    const segment = out.subarray(
      (s - firstSegment) * segmentBytes,
      (s - firstSegment) * segmentBytes + length,
    )
    if (!isWhole) joinSegment(rows, n, k, segment, code)
    if (!equalBytes(segmentLeaf(s, segment), leafAt(segmentLeaves, s))) {
      throw new GridError(
        'E_ENCODING',
        `segment ${s} is not what the object commits to: it was uploaded malformed`,
      )
    }
  }
  return out
}

/** Lays a segment over its k data blocks, the last filled up with zeros. */
function splitSegment(segment: Uint8Array, blocks: readonly Uint8Array[]): void {
  let from = 0
  for (const block of blocks) {
    const part = segment.subarray(from, from + block.length)
    block.set(part)
    block.fill(0, part.length)
    from += block.length
  }
}

function joinSegment(
  rows: readonly { rowNumber: number; bytes: Uint8Array }[],
  n: number,
  k: number,
  segment: Uint8Array,
  code: ErasureCode,
): void {
  const length = blockLength(k, segment.length)
  const systematic = rows.every(({ rowNumber }) => rowNumber < k)
  const data: Uint8Array[] = Array.from({ length: k })
  if (systematic) for (const { rowNumber, bytes } of rows) data[rowNumber] = bytes
  else {
    const scratch = new Uint8Array(k * length)
    for (let i = 0; i < k; i++) data[i] = scratch.subarray(i * length, (i + 1) * length)
    code.decode(rows, n, data)
  }
  for (const [i, block] of data.entries()) {
    const from = i * length
    if (from < segment.length) segment.set(block.subarray(0, segment.length - from), from)
  }
}
