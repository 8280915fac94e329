/**
 * Sweeps of the folders of an embedded grid (docs/specs/holds.md, "Quarantine and deletion"): nobody runs
 * them, so the commands that use them delete what is due there.
 */
import type { Clock } from '../../base/clock.ts'
import type { SweepRefusal } from '../../storage/holds/sweeper.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'
import { type PeerVerdict, verdictOf } from './candidate.ts'

export interface FolderSweepOptions {
  /** Leaves folders that were swept more lately than this; sweeps all unless told. */
  afterMs?: number | undefined
  /** Whether all shares are looked at where an index of holds may not know them; true unless told. */
  walk?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** Of all folders together. */
export interface FolderSweep {
  sweptFolders: number
  deletedShares: number
  deletedBytes: number
  /** Shares that are due and were not deleted, by why. */
  refused: ReadonlyMap<SweepRefusal, number>
  /** Folders that could not be swept. */
  failed: PeerVerdict[]
}

/** One after another, and goes on where one fails. Throws the signal's reason. */
export async function sweepFolders(
  folders: readonly LocalPeer[],
  clock: Clock,
  { afterMs = 0, walk = true, signal }: FolderSweepOptions = {},
): Promise<FolderSweep> {
  const refused = new Map<SweepRefusal, number>()
  const sum: FolderSweep & { refused: typeof refused } = {
    ...{ sweptFolders: 0, deletedShares: 0, deletedBytes: 0, refused, failed: [] },
  }
  for (const folder of folders) {
    signal?.throwIfAborted()
    try {
      const sweptMs = afterMs > 0 ? await folder.holds.sweptMs() : undefined
      // either way: a clock that was set back must not put it off for years
      if (sweptMs !== undefined && Math.abs(clock.nowMs() - sweptMs) < afterMs) continue
      const report = await folder.sweep({ walk, ...(signal !== undefined && { signal }) })
      const { deletedShares, deletedBytes, due, refusal } = report
      sum.sweptFolders++
      sum.deletedShares += deletedShares
      sum.deletedBytes += deletedBytes
      if (refusal !== undefined) refused.set(refusal, (refused.get(refusal) ?? 0) + due.shares)
    } catch (error) {
      signal?.throwIfAborted()
      sum.failed.push(verdictOf(folder.id, error))
    }
  }
  return sum
}
