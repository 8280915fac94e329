/** Reading a share that a store holds: its header, its blocks, all of it. */
import { createHmac } from 'node:crypto'
import { equalBytes } from '../base/bytes.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { storageIndexBytes } from '../encoding/descriptor.ts'
import { isNewerShare, newerStartBytes } from '../encoding/newer-share.ts'
import { blockOffset, headerLength, parseShareHeader, type ShareHeader } from '../encoding/share.ts'
import { ShareVerifier } from '../encoding/share-verifier.ts'
import type { BlocksReply, BlocksRequest, StorageIndex } from './peer.ts'
import type { ShareReader } from './share-store.ts'

/** Holds every header, and all of most small shares: one read answers for them. */
const firstReadBytes = 64 * 1024
/** Read at once of a share that is read through. */
const pieceBytes = 256 * 1024

/** A share in a store, open. */
export interface StoredShare {
  storageIndex: StorageIndex
  shareNumber: number
  reader: ShareReader
}

/**
 * Reads the blocks asked for, and nothing beyond the share or beyond `maxBytes`: the offsets come
 * from the share's own header, checked again. Throws E_TOO_LARGE, E_IO.
 */
export async function readBlocks(share: StoredShare, request: BlocksRequest): Promise<BlocksReply> {
  const { reader, shareNumber } = share
  const start = await reader.read(0, Math.min(reader.shareBytes, firstReadBytes))
  const { descriptor, layout } = parseStart(share, start)
  const first = Math.min(request.firstSegment, layout.segmentCount)
  const end = Math.min(first + request.segmentCount, layout.segmentCount)
  const from = layout.headerBytes + blockOffset(descriptor, first)
  const to = layout.headerBytes + blockOffset(descriptor, end)
  const headerBytes = request.header ? layout.headerBytes : 0
  if (headerBytes + to - from > request.maxBytes) {
    throw new GridError('E_TOO_LARGE', `the answer has ${headerBytes + to - from} bytes`)
  }
  const blocks = to <= start.length ? start.subarray(from, to) : await reader.read(from, to - from)
  return { shareNumber, header: start.subarray(0, headerBytes), blocks }
}

/** HMAC-SHA-256 of the whole file under `nonce`. */
export async function proveShare(
  { reader }: StoredShare,
  nonce: Uint8Array,
  options: { signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const mac = createHmac('sha256', nonce)
  for await (const piece of piecesOf(reader)) {
    options.signal?.throwIfAborted()
    mac.update(piece)
  }
  return new Uint8Array(mac.digest())
}

/** Whether the share is of a version that this server does not know, so that it cannot judge it. */
export async function isOfNewerFormat({ storageIndex, reader }: StoredShare): Promise<boolean> {
  try {
    const start = await reader.read(0, Math.min(reader.shareBytes, newerStartBytes))
    return isNewerShare(storageIndex, start)
  } catch (error) {
    // what cannot be read is damaged
    if (isGridError(error)) return false
    throw error
  }
}

/** Whether every byte of the share is still as it was verified; a share that cannot be read is not. */
export async function isIntact({
  storageIndex,
  shareNumber,
  reader,
}: StoredShare): Promise<boolean> {
  const verifier = new ShareVerifier(storageIndex, shareNumber, reader.shareBytes)
  try {
    for await (const piece of piecesOf(reader)) verifier.push(piece)
    verifier.finish()
    return true
  } catch (error) {
    if (error instanceof GridError) return false
    throw error
  }
}

async function* piecesOf(reader: ShareReader): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < reader.shareBytes; position += pieceBytes) {
    yield await reader.read(position, Math.min(pieceBytes, reader.shareBytes - position))
  }
}

/** The header of the share that `start` begins. Throws E_IO when it is not what was stored, E_VERSION. */
function parseStart(share: StoredShare, start: Uint8Array): ShareHeader {
  const { storageIndex, shareNumber, reader } = share
  try {
    const header = parseShareHeader(start.subarray(0, headerLength(start)))
    const ours =
      equalBytes(header.root.subarray(0, storageIndexBytes), storageIndex) &&
      header.shareNumber === shareNumber &&
      header.layout.shareBytes === reader.shareBytes
    if (ours) return header
  } catch (error) {
    if (!(error instanceof GridError)) throw error
  }
  if (isNewerShare(storageIndex, start))
    throw new GridError('E_VERSION', 'the share is of a newer format than this server knows')
  throw new GridError('E_IO', 'the share is damaged on this server’s disk')
}
