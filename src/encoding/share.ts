/**
 * The share file: the same bytes on the wire and on disk (docs/specs/share.md).
 *
 *   offset      size   field
 *   0           4      "GRS1"
 *   4           1      share number
 *   5           1      flags = 0
 *   6           2      length of the descriptor
 *   8           48+32n descriptor
 *   …           32·S   block leaves
 *   …           32·S   ciphertext leaves
 *   headerBytes …      blocks, one per segment
 */
import { concat, equalBytes, readU16be, u32be, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes, taggedHash, taggedHasher } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import {
  type Coding,
  type Descriptor,
  descriptorLength,
  parseDescriptor,
  rootOf,
  segmentBytes,
} from './descriptor.ts'

const magic = utf8('GRS1')
const prefixBytes = 8

/** Where the parts of each share of an object lie; the same for all its shares. */
export interface ShareLayout {
  segmentCount: number
  /** Everything before the blocks. */
  headerBytes: number
  /** The whole file. */
  shareBytes: number
}

export interface ShareHeader {
  shareNumber: number
  descriptor: Descriptor
  layout: ShareLayout
  /** `TH("object", descriptor)`, to be compared with the cap's root, or in part with the storage index. */
  root: Uint8Array
  /** 32 bytes a segment. */
  blockLeaves: Uint8Array
  /** 32 bytes a segment. */
  segmentLeaves: Uint8Array
}

export function shareLayout({
  k,
  n,
  ciphertextBytes,
}: Coding & { ciphertextBytes: number }): ShareLayout {
  const segmentCount = Math.ceil(ciphertextBytes / segmentBytes)
  const headerBytes = prefixBytes + descriptorLength(n) + 2 * hashBytes * segmentCount
  const last = ciphertextBytes - (segmentCount - 1) * segmentBytes
  const blocksBytes = (segmentCount - 1) * blockLength(k, segmentBytes) + blockLength(k, last)
  return { segmentCount, headerBytes, shareBytes: headerBytes + blocksBytes }
}

/** Length of a block of a segment of `segmentLength` bytes. */
export function blockLength(k: number, segmentLength: number): number {
  return Math.ceil(segmentLength / k)
}

/** Length of segment `segment` of a ciphertext. */
export function segmentLength(ciphertextBytes: number, segment: number): number {
  return Math.min(segmentBytes, ciphertextBytes - segment * segmentBytes)
}

/** Offset of the block of `segment`, counted from the first block; at the segment count, the end. */
export function blockOffset({ k, ciphertextBytes }: Descriptor, segment: number): number {
  if (segment * segmentBytes < ciphertextBytes) return segment * blockLength(k, segmentBytes)
  const full = Math.floor(ciphertextBytes / segmentBytes)
  return full * blockLength(k, segmentBytes) + blockLength(k, ciphertextBytes - full * segmentBytes)
}

/** The header of share `shareNumber`; leaves are 32 bytes a segment. */
export function formatShareHeader(
  shareNumber: number,
  descriptorBytes: Uint8Array,
  blockLeaves: Uint8Array,
  segmentLeaves: Uint8Array,
): Uint8Array {
  const prefix = concat(
    magic,
    Uint8Array.of(shareNumber, 0, descriptorBytes.length >> 8, descriptorBytes.length & 0xff),
  )
  return concat(prefix, descriptorBytes, blockLeaves, segmentLeaves)
}

/**
 * Length of the header of the share that `bytes` begins, or undefined while they are too few to
 * tell. Throws E_SHARE or E_DESCRIPTOR as soon as they cannot begin one.
 */
export function headerLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < prefixBytes) return undefined
  const descriptorBytes = checkPrefix(bytes)
  if (bytes.length < prefixBytes + descriptorBytes) return undefined
  return shareLayout(parseDescriptor(bytes.subarray(prefixBytes, prefixBytes + descriptorBytes)))
    .headerBytes
}

/**
 * Parses a header that fills `bytes` and checks all that it says of itself: its leaves against its
 * share root and against its list of ciphertext leaves. What is left is the root, which the caller
 * compares. The result keeps views of `bytes`. Throws E_SHARE, E_DESCRIPTOR.
 */
export function parseShareHeader(bytes: Uint8Array): ShareHeader {
  if (headerLength(bytes) !== bytes.length) throw malformed('its header has another length')
  const descriptorBytes = bytes.subarray(prefixBytes, prefixBytes + readU16be(bytes, 6))
  const descriptor = parseDescriptor(descriptorBytes)
  const layout = shareLayout(descriptor)
  const shareNumber = bytes[4] ?? 0
  const shareRoot = descriptor.shareRoots[shareNumber]
  if (shareRoot === undefined) throw malformed(`number ${shareNumber} of ${descriptor.n}`)
  const leavesStart = prefixBytes + descriptorBytes.length
  const leavesBytes = layout.segmentCount * hashBytes
  const blockLeaves = bytes.subarray(leavesStart, leavesStart + leavesBytes)
  const segmentLeaves = bytes.subarray(leavesStart + leavesBytes)
  if (!equalBytes(shareRootOf(shareNumber, blockLeaves), shareRoot)) {
    throw malformed('its block leaves are not those of its descriptor')
  }
  if (!equalBytes(ciphertextListOf(segmentLeaves), descriptor.ciphertextList)) {
    throw malformed('its ciphertext leaves are not those of its descriptor')
  }
  return {
    shareNumber,
    descriptor,
    layout,
    root: rootOf(descriptorBytes),
    blockLeaves,
    segmentLeaves,
  }
}

/** `TH("block", u8 i ‖ u32 s ‖ block)`. */
export function blockLeaf(shareNumber: number, segment: number, block: Uint8Array): Uint8Array {
  return blockHasher(shareNumber, segment).update(block).digest()
}

/** The hash that a block leaf is, ready for the block's bytes. */
export function blockHasher(shareNumber: number, segment: number): ReturnType<typeof taggedHasher> {
  const position = new Uint8Array(5)
  position[0] = shareNumber
  new DataView(position.buffer).setUint32(1, segment)
  return taggedHasher(tags.block).update(position)
}

/** `TH("ct-seg", u32 s ‖ segment)`, over the segment without the zeros that fill its last block. */
export function segmentLeaf(segment: number, bytes: Uint8Array): Uint8Array {
  return taggedHash(tags.ciphertextSegment, u32be(segment), bytes)
}

export function shareRootOf(shareNumber: number, blockLeaves: Uint8Array): Uint8Array {
  return taggedHash(tags.share, Uint8Array.of(shareNumber), blockLeaves)
}

export function ciphertextListOf(segmentLeaves: Uint8Array): Uint8Array {
  return taggedHash(tags.ciphertextList, segmentLeaves)
}

/** Leaf number `index` of a list of 32-byte leaves, as a view. */
export function leafAt(leaves: Uint8Array, index: number): Uint8Array {
  return leaves.subarray(index * hashBytes, (index + 1) * hashBytes)
}

/** Checks magic, flags and the descriptor's length, which it returns. */
function checkPrefix(bytes: Uint8Array): number {
  if (!equalBytes(bytes.subarray(0, 4), magic)) throw malformed('it does not begin as one')
  if (bytes[5] !== 0) throw malformed('it has flags this version does not know')
  const length = readU16be(bytes, 6)
  const n = (length - descriptorLength(0)) / hashBytes
  if (!Number.isInteger(n) || n < 1 || n > 255) throw malformed(`a descriptor of ${length} bytes`)
  return length
}

function malformed(why: string): GridError {
  return new GridError('E_SHARE', `malformed share: ${why}`)
}
