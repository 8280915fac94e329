/**
 * What a client may ask of one storage server: the centre of the system.
 *
 * `LocalPeer` decides over a share store, `RemotePeer` speaks the wire protocol to one, `FaultyPeer`
 * wraps another and misbehaves. One suite (test/suites/storage-peer.ts) proves them all alike.
 * Every method ends, by success or by a definite error: a GridError (E_BAD_REQUEST for arguments out
 * of bounds, before they cost anything), or the reason of the signal that gave it up.
 */

import type { LogPeer } from '../log/log-peer.ts'
import type { HoldPeer } from './hold-peer.ts'
import type { RequestOptions, StorageIndex } from './request.ts'

export type { RequestOptions, StorageIndex } from './request.ts'

/** No share is larger: 16 MiB of ciphertext at k = 1, and its header. */
export const maxShareBytes: number = 17 * 1024 * 1024
/** Storage indexes in one `have`. */
export const maxHaveIndexes = 1024

/** A share on its way to a peer. */
export interface ShareBody {
  readonly shareBytes: number
  /** The whole share file, cut anywhere; iterated once. */
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

export interface BlocksRequest {
  storageIndex: StorageIndex
  /** Which share; undefined for any one that the peer holds. */
  shareNumber: number | undefined
  /** Whether the share's header (everything before the blocks) is wanted too. */
  header: boolean
  /** First segment, from 0. */
  firstSegment: number
  /** How many segments, ≥ 0; those past the last one are left out. */
  segmentCount: number
  /** The most bytes the client will take; a longer answer is E_TOO_LARGE. */
  maxBytes: number
}

export interface BlocksReply {
  shareNumber: number
  /** The share's header; empty unless asked for. Not yet verified. */
  header: Uint8Array
  /** The blocks asked for, end to end. Not yet verified. Owned by the caller. */
  blocks: Uint8Array
}

export interface PeerStatus {
  /** Version of the server's software. */
  software: string
  /** Bytes it would still take. */
  freeBytes: number
  shareCount: number
  /** Bytes of all shares, as on its disk. */
  shareBytes: number
  readOnly: boolean
  /** Its wall clock; what releases are measured by. */
  nowMs: number
  /** How long it keeps what nobody holds any more. */
  quarantineDays: number
  /** Shares, of those counted above, that nobody holds any more. */
  quarantinedCount: number
  /** Shares that scrubbing found damaged and took out of service; not counted above. */
  damagedCount: number
  /** Bytes that all of it takes on the disk, index, journals and logs included, as `du` counts them. */
  diskBytes: number
}

/** `stored`: now durable there. `had`: it was there, verified, before. Both count the same. */
export type PutOutcome = 'stored' | 'had'

/** Logs are told of in src/log/log-peer.ts, holds in hold-peer.ts. */
export interface StoragePeer extends LogPeer, HoldPeer {
  /** Peer id: what placement permutes by, and what distinct servers are counted by. */
  readonly id: string

  /** For each of ≤ 1,024 storage indexes, the share numbers held, ascending. Hearsay until proven. */
  have(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<number[][]>

  /**
   * Stores one share. Resolves only when the share is verified against `storageIndex` and durable
   * (file and directory synced). Idempotent. Shares are immutable: the same number of the same
   * index can hold no other bytes, since each byte is bound by the root.
   *
   * @param share - its pieces are borrowed until the promise resolves; after a rejection the
   *   carrier may still hold them, so do not reuse their memory then
   * @throws E_SHARE, E_DESCRIPTOR, E_BLOCK, E_VERSION for a wrong share; E_TOO_LARGE, E_FULL,
   *   E_READ_ONLY, E_BUSY before its body; E_FULL, E_IO, E_TIMEOUT later; what its source throws
   */
  putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome>

  /** Reads blocks of one share. @throws E_ABSENT, E_TOO_LARGE, E_IO, E_VERSION for one of a later format */
  getBlocks(request: BlocksRequest, options?: RequestOptions): Promise<BlocksReply>

  /**
   * HMAC-SHA-256 of the whole share file under `nonce` (32 bytes): shows that the peer can produce
   * the share now, without moving it. @throws E_ABSENT, E_RATE
   */
  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options?: RequestOptions,
  ): Promise<Uint8Array>

  status(options?: RequestOptions): Promise<PeerStatus>
}
