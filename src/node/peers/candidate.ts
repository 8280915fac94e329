/** A peer that this client may use, and what it has learnt from it in one operation. */
import type { ErrorCode } from '../../base/errors.ts'
import { GridError } from '../../base/errors.ts'
import type { StoragePeer } from '../../storage/peer.ts'
import type { Site } from '../placement/placement.ts'

export interface Candidate extends Site {
  peer: StoragePeer
  /** Whether it may be given new shares; any peer may be read from. */
  accepts: boolean
}

/** Why a peer did not help: kept for the error that ends the operation, if one does. */
export interface PeerVerdict {
  peerId: string
  code: ErrorCode
  message: string
}

export function verdictOf(peerId: string, error: unknown): PeerVerdict {
  if (error instanceof GridError) return { peerId, code: error.code, message: error.message }
  return {
    peerId,
    code: 'E_INTERNAL',
    message: error instanceof Error ? error.message : String(error),
  }
}

/** Whether enough servers would have done it had they had room; `missing` is how many there are too few. */
export function isFull(
  verdicts: readonly { peerId: string; code?: string }[],
  missing: number,
): boolean {
  const full = verdicts.filter(({ code }) => code === 'E_FULL').map(({ peerId }) => peerId)
  return new Set(full).size >= missing
}
