/** What commands that use an embedded grid do for its folders, which nobody else sweeps. */
import { formatByteSize } from '../base/byte-size.ts'
import { plainText } from '../base/plain-text.ts'
import type { FolderSweep, FolderSweepOptions } from '../node/peers/folder-sweep.ts'
import type { Grid } from '../node/grid.ts'
import type { Context } from './command.ts'

/** Under a day, as the same backup is a little earlier every other day. */
const betweenMs = 20 * 3_600_000

/**
 * Deletes what is due, and says so; undefined where there was nothing to sweep, or the user has enough. What
 * keeps it from that fails no command: that has done its work. With `seldom` once a day at most, and without
 * looking at all shares.
 */
export async function sweepOwnFolders(
  { output, signal }: Context,
  grid: Grid,
  { seldom }: { seldom: boolean },
): Promise<FolderSweep | undefined> {
  const choice = seldom ? { afterMs: betweenMs, walk: false } : {}
  const swept = await sweepUntilAborted(grid, { ...choice, signal })
  if (swept === undefined) return undefined
  const { sweptFolders, deletedShares, deletedBytes, refused, failed } = swept
  if (sweptFolders + failed.length === 0) return undefined
  if (deletedShares > 0)
    output.note(
      `${deletedShares} shares that nobody held were deleted, ${formatByteSize(deletedBytes)}`,
    )
  for (const { peerId, code, message } of failed)
    await output.warning(`${plainText(grid.nickname(peerId))}: not swept: ${message}`, { code })
  const much = refused.get('consent') ?? 0
  if (much > 0)
    await output.warning(`${much} shares wait to be deleted: grid node sweep --consent`, {
      refusal: 'consent',
    })
  const astray = refused.get('clock') ?? 0
  if (astray > 0) output.note(`${astray} shares wait for the clock to be trusted: grid node sweep`)
  return swept
}

async function sweepUntilAborted(
  grid: Grid,
  options: FolderSweepOptions & { signal: AbortSignal },
): Promise<FolderSweep | undefined> {
  try {
    return await grid.upkeep.sweepFolders(options)
  } catch (error) {
    if (options.signal.aborted) return undefined
    throw error
  }
}
