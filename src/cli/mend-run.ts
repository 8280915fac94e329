/** What `repair` and `rebalance` share: mending what caps stand on, told as it goes. */
import { formatByteSize } from '../base/byte-size.ts'
import { CheckTally } from '../node/check/check-tally.ts'
import type { Grid } from '../node/grid.ts'
import type { RepairedObject } from '../node/repair/repair-run.ts'
import type { MendOptions } from '../node/upkeep.ts'
import { objectName, tallyFacts, warnOf } from './check-lines.ts'
import { capsOf, type Target } from './check-targets.ts'
import type { Context, Outcome } from './command.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

interface Mended {
  objects: number
  written: number
  writtenBytes: number
  stuck: number
  hopeless: number
  failed: number
}

/** Lines for people about single objects, at most. */
const maxLines = 50

export async function mendTargets(
  context: Context,
  grid: Grid,
  targets: readonly Target[],
  options: MendOptions,
): Promise<Outcome> {
  const { signal, progress } = context
  const tally = new CheckTally()
  const mended: Mended = {
    objects: 0,
    written: 0,
    writtenBytes: 0,
    stuck: 0,
    hopeless: 0,
    failed: 0,
  }
  const task = progress.start(options.goal === 'preferred' ? 'rebalancing' : 'repairing', undefined)
  const onHidden = tally.hide.bind(tally)
  let lines = 0
  try {
    const run = grid.upkeep.repair(capsOf(targets), { ...options, onHidden, signal })
    for await (const batch of run) {
      for (const repaired of batch) {
        tally.add(repaired.found)
        count(mended, repaired)
        if (repaired.outcome === 'sound') continue
        if (context.output.json || ++lines <= maxLines) await tell(context, repaired)
      }
      const { objects, writtenBytes } = mended
      task.advance(writtenBytes, `${objects} of ${tally.objects} objects mended`)
    }
  } finally {
    task.end()
  }
  if (lines > maxLines) context.output.note(`and ${lines - maxLines} more; --json tells of all`)
  await warnOf(context, grid, tally)
  const { objects: mendedObjects, written: sharesWritten, ...rest } = mended
  return {
    summary: {
      targets: targets.length,
      ...tallyFacts(tally),
      mendedObjects,
      sharesWritten,
      ...rest,
    },
    text: textOf(mended, tally),
    exit: exitOf(mended, tally),
  }
}

function count(mended: Mended, { outcome, report }: RepairedObject): void {
  mended.written += report?.written ?? 0
  mended.writtenBytes += report?.writtenBytes ?? 0
  if (outcome === 'mended') mended.objects++
  else if (outcome !== 'sound') mended[outcome]++
}

async function tell(
  { output }: Context,
  { found, outcome, servers, report, error }: RepairedObject,
): Promise<void> {
  const { object, claimed } = found
  const name = objectName(object)
  const written = report?.written ?? 0
  const facts = { object: name, outcome, before: claimed, servers, n: object.n, written }
  const words = {
    sound: '',
    mended: `${written} shares written; on ${servers} of ${object.n} servers`,
    stuck: `on ${servers} of ${object.n} servers, and no other takes a share`,
    hopeless: `${claimed} of ${object.n} shares are left, ${object.k} needed`,
    failed: error?.message ?? '',
  }
  const code = error === undefined ? {} : { code: error.code, message: error.message }
  await output.item({ ...facts, ...code }, `${outcome}  ${name}  ${words[outcome]}`)
}

function textOf(mended: Mended, tally: CheckTally): string {
  const { objects, written, writtenBytes, stuck, hopeless, failed } = mended
  const parts = [
    `${tally.objects} objects: ${objects} mended, ${written} shares written (${formatByteSize(writtenBytes)})`,
    stuck > 0 ? `${stuck} lack servers that take a share` : '',
    hopeless > 0 ? `${hopeless} have too few shares left among the servers that answer` : '',
    failed > 0 ? `${failed} failed` : '',
    tally.hiddenCount > 0 ? `${tally.hiddenCount} parts could not be looked into` : '',
  ]
  return parts.filter((part) => part !== '').join('; ')
}

function exitOf({ stuck, hopeless, failed }: Mended, { hiddenCount }: CheckTally): ExitCode {
  if (hopeless > 0) return exitCodes.notEnoughShares
  if (stuck > 0) return exitCodes.notEnoughServers
  return failed > 0 || hiddenCount > 0 ? exitCodes.partlyDone : exitCodes.ok
}
