/**
 * How a client asks a server for blocks. An audit asks in the same words as somebody who reads a few
 * bytes, so that no server can keep its answers for audits.
 */
import { type Coding, segmentBytes, storageIndexOf } from '../../encoding/descriptor.ts'
import { blockLength } from '../../encoding/share.ts'
import type { BlocksRequest } from '../../storage/peer.ts'

/** A run of segments of an object. */
export interface SegmentRange {
  object: Coding & { root: Uint8Array }
  firstSegment: number
  /** Those past the last segment are left out. */
  segmentCount: number
}

/** The longest header: prefix, descriptor of 255 shares, two lists of 128 leaves. */
const maxHeaderBytes = 8 + 48 + 255 * 32 + 2 * 128 * 32

/** Asks for header and blocks of share `shareNumber`; of any that the server has if undefined. */
export function blocksRequest(
  { object, firstSegment, segmentCount }: SegmentRange,
  shareNumber: number | undefined,
): BlocksRequest {
  const maxBytes = maxHeaderBytes + segmentCount * blockLength(object.k, segmentBytes)
  const storageIndex = storageIndexOf(object.root)
  return { storageIndex, shareNumber, header: true, firstSegment, segmentCount, maxBytes }
}
