/** Sweeps and purges that the operator of a running node asks for (docs/specs/holds.md). */
import type { Trace } from '../../base/trace.ts'
import type { PeerSweepOptions } from '../../storage/holds/kept-holds.ts'
import type { PurgeOptions, PurgeReport } from '../../storage/holds/purge.ts'
import type { SweepReport } from '../../storage/holds/sweeper.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'

/** What the operator wants. */
export interface SweepWish {
  dryRun: boolean
  /** Up to how many shares may go, 0 … 2^53 − 1. */
  consentShares: number
  clockIsRight: boolean
}

export interface PurgeWish {
  /** The member's, 32 bytes. */
  publicKey: Uint8Array
  dryRun: boolean
}

/** Sweeps, and has the node's events say what came of it. Throws what `sweep` throws. */
export async function sweepAndTell(
  storage: LocalPeer,
  trace: Trace,
  options: PeerSweepOptions,
): Promise<SweepReport> {
  const report = await storage.sweep(options)
  if (options.dryRun === true) return report
  const { deletedShares, deletedBytes, due, refusal } = report
  if (deletedShares > 0) trace.event('sweep.deleted', { deletedShares, deletedBytes })
  if (refusal !== undefined) trace.event('sweep.refused', { refusal, dueShares: due.shares })
  return report
}

/** Ends what a former member pays for, and has the node's events say so. Throws what `purge` throws. */
export async function purgeAndTell(
  storage: LocalPeer,
  trace: Trace,
  publicKey: Uint8Array,
  options: PurgeOptions,
): Promise<PurgeReport> {
  const report = await storage.holds.purge(publicKey, options)
  const { endedHolds, paid } = report
  if (endedHolds > 0) trace.event('member.purged', { endedHolds, objects: paid.objects })
  return report
}
