/** Bodies, fetched when somebody wants to look into an entry, and opened by whom they are sealed to. */
import { compareBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { ReadHeader } from './entry.ts'
import { fetchChain } from './fetch-chain.ts'
import type { LogPeer } from './log-peer.ts'
import { openBody } from './sealed-body.ts'
import {
  readSnapshot,
  readSnapshotCheck,
  type Snapshot,
  type SnapshotCheck,
} from './snapshot-body.ts'

/**
 * The body of `entry` from the first of `peers` that has it; it is the one the header names.
 *
 * @throws E_ABSENT if none has: it may have been dropped when its snapshot was pruned
 */
export async function fetchBody(
  { fields, id }: ReadHeader,
  peers: readonly LogPeer[],
  options: { clock: Clock; signal?: AbortSignal },
): Promise<Uint8Array> {
  const { logId, author, seq } = fields
  const range = {
    logId,
    author,
    firstSeq: seq,
    lastSeq: seq,
    bodies: 'all',
    receipts: false,
  } as const
  for (const peer of peers) {
    try {
      for await (const entry of fetchChain(peer, range, options)) {
        if (entry.body !== undefined && compareBytes(entry.id, id) === 0) return entry.body
      }
    } catch (error) {
      if (options.signal?.aborted || !isGridError(error)) throw error
    }
  }
  throw new GridError('E_ABSENT', `no log server gives the body of entry ${seq}`)
}

/** What a snapshot says to the holder of a read seed. Throws E_SEAL or E_ENTRY. */
export function openSnapshot(
  { fields }: ReadHeader,
  body: Uint8Array,
  readSeed: Uint8Array,
): Snapshot {
  return readSnapshot(openBody(fields, 'reader', readSeed, body))
}

/** What a snapshot says to the holder of a verify seed. Throws E_SEAL or E_ENTRY. */
export function openSnapshotCheck(
  { fields }: ReadHeader,
  body: Uint8Array,
  verifySeed: Uint8Array,
): SnapshotCheck {
  return readSnapshotCheck(openBody(fields, 'verifier', verifySeed, body))
}
