/** `grid prune`, from its cap to its summary. */
import { formatByteSize } from '../base/byte-size.ts'
import { GridError } from '../base/errors.ts'
import type { RetentionPolicy } from '../backup/prune/policy.ts'
import { carryOut, type PlannedPrune, planOf, type PruneParts } from '../backup/prune/prune.ts'
import { takeBack } from '../backup/prune/take-back.ts'
import type { CapOf } from '../caps/cap.ts'
import type { PeerVerdict } from '../node/peers/candidate.ts'
import type { Grid } from '../node/grid.ts'
import type { Context, Outcome } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { sweepOwnFolders } from './folder-sweep.ts'
import { doubtText, writePlan } from './prune-lines.ts'

export type PruneCap = CapOf<'LOG-Prune' | 'LOG-Admin'>

export interface PruneChoice {
  policy: RetentionPolicy
  dryRun: boolean
  yes: boolean
}

export async function runPrune(
  context: Context,
  grid: Grid,
  cap: PruneCap,
  { policy, dryRun, yes }: PruneChoice,
): Promise<Outcome> {
  const { output, signal, progress } = context
  const parts = await partsOf(context, grid, cap)
  const task = progress.start('walking snapshots', undefined)
  let planned: PlannedPrune
  try {
    const onProgress = (objects: number): void => task.advance(objects, `${objects} objects`)
    planned = await planOf(parts, policy, { signal, onProgress })
  } finally {
    task.end()
  }
  const { plan, garbage, doubts, cutoff } = planned
  if (dryRun) await writePlan(output, planned)
  for (const { device, seq } of planned.empty)
    await output.warning(`${device}:${seq} holds nothing that anybody could read`)
  for (const { server, aheadMs } of cutoff.astray)
    await output.warning(
      `${grid.nickname(server)}: its clock is ${Math.round(aheadMs / 60_000)} min off, so nothing is released there`,
    )
  await tellSilent(context, grid, planned.silent)
  for (const doubt of doubts) await output.warning(doubtText(doubt), { doubt: doubt.kind })
  const { releasedCount: objects, freedBytes, heldBytes } = garbage
  const counts = { kept: plan.kept.length, dropped: plan.dropped.length, objects }
  const facts = { ...counts, freedBytes, heldBytes, dryRun }
  const size = `${formatByteSize(freedBytes)} of ${formatByteSize(heldBytes)}`
  const said = `${counts.kept} snapshots kept, ${counts.dropped} dropped; ${objects} objects, ${size}`
  if (dryRun) return { summary: facts, text: `${said}, would be released` }
  if (doubts.length > 0 && !yes)
    throw new GridError('E_USAGE', 'this is more than a prune usually does; nothing was released', {
      hint: 'see what goes with --dry-run; if that is right, give --yes',
      facts,
    })
  const report = await carryOut(parts, planned, { signal })
  await tellSilent(context, grid, report.silent)
  const swept = await sweepOwnFolders(context, grid, { seldom: false })
  const { wanted, holders } = report.touched
  if (holders.size < wanted)
    await output.warning(
      `${wanted - holders.size} objects of kept snapshots are on no server that answers: see grid check`,
    )
  const isPart = report.silent.length + planned.silent.length > 0 || holders.size < wanted
  const { releases, changed, kept } = report
  return {
    summary: {
      ...{ ...facts, releases, holdsEnded: changed, holdsKept: kept },
      ...(swept !== undefined && { deletedShares: swept.deletedShares }),
    },
    text: `${said}, released; servers delete them after their quarantine`,
    exit: isPart ? exitCodes.partlyDone : exitCodes.ok,
  }
}

export async function undoPrunes(
  context: Context,
  grid: Grid,
  cap: PruneCap,
  count: number,
): Promise<Outcome> {
  const { signal, output } = context
  const parts = await partsOf(context, grid, cap)
  const { silent, ...taken } = await takeBack(parts, count, { signal })
  await tellSilent(context, grid, silent)
  if (taken.lost > 0) await output.warning(`${taken.lost} objects are gone from all servers`)
  const isPart = silent.length > 0 || taken.lost > 0
  return {
    summary: taken,
    text: `${taken.objects} objects taken back, ${taken.readopted} of them from quarantine`,
    exit: isPart ? exitCodes.partlyDone : exitCodes.ok,
  }
}

async function partsOf({ world, signal }: Context, grid: Grid, cap: PruneCap): Promise<PruneParts> {
  const account = await grid.logs.account(cap, { signal })
  return {
    account,
    log: grid.logs.reader(cap),
    reader: grid.trees,
    clock: world.clock,
    release: (release, options) => grid.logs.release(cap, release, options),
  }
}

async function tellSilent(
  { output }: Context,
  grid: Grid,
  silent: readonly PeerVerdict[],
): Promise<void> {
  for (const { peerId, code, message } of silent)
    await output.warning(`${grid.nickname(peerId)}: ${message}`, { code })
}
