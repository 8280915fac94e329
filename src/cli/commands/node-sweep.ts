import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import type { SweepReport } from '../../storage/holds/sweeper.ts'
import { command, type Command, type Context } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { flag } from '../option.ts'
import { sweepFacts, sweepLine } from '../sweep-lines.ts'
import { openSweepPlaces, type SweepPlace } from '../sweep-places.ts'
import { momentText } from '../time-text.ts'

interface Choice {
  dryRun: boolean
  consent: boolean
  trustClock: boolean
  yes: boolean
}

export const nodeSweep: Command = command({
  arguments: [],
  options: {
    dryRun: flag('-n, --dry-run', 'say what would be deleted, and delete nothing'),
    consent: flag('--consent', 'let much go at once, this time'),
    trustClock: flag('--trust-clock', 'take the clock as it is now for right, this time'),
    yes: flag('--yes', 'with --consent or --trust-clock: do not ask'),
  },
  examples: [
    ['grid node sweep --dry-run', 'see what nobody holds any more, and when it goes'],
    ['grid node sweep', 'delete now what is due, as the node does every six hours'],
    ['grid node sweep --consent', 'let go what is too much to go unasked'],
  ],
  async run(context, { options }) {
    checkChoice(context, options)
    const opened = await openSweepPlaces(context)
    try {
      const { places } = opened
      if (places.length === 0) throw new GridError('E_USAGE', 'this home keeps no shares')
      const looks = await sweepAll(places, () => ({ ...nothing, dryRun: true }))
      if (!options.dryRun) await askFor(context, looks, options)
      const reports = options.dryRun
        ? looks
        : await sweepAll(places, (i) => ({
            dryRun: false,
            // no more than was seen
            consentShares: options.consent ? looks[i].due.shares : 0,
            clockIsRight: options.trustClock,
          }))
      for (const [i, { name }] of places.entries())
        await context.output.item(sweepFacts(name, reports[i]), sweepLine(name, reports[i]))
      const deletedShares = sumOf(reports, (report) => report.deletedShares)
      const deletedBytes = sumOf(reports, (report) => report.deletedBytes)
      const dueShares = sumOf(reports, ({ due }) => due.shares)
      const waitingShares = sumOf(reports, ({ waiting }) => waiting.shares)
      const isHeldUp = reports.some(({ refusal, due }) => refusal !== undefined && due.objects > 0)
      return {
        summary: { dryRun: options.dryRun, deletedShares, deletedBytes, dueShares, waitingShares },
        text: options.dryRun
          ? `${dueShares} shares are due, ${waitingShares} wait`
          : `${deletedShares} of ${dueShares} shares that are due were deleted (${formatByteSize(deletedBytes)}), ${waitingShares} wait`,
        exit: isHeldUp ? exitCodes.partlyDone : exitCodes.ok,
      }
    } finally {
      await opened.close()
    }
  },
})

const nothing = { consentShares: 0, clockIsRight: false }

function checkChoice({ world }: Context, { dryRun, consent, trustClock, yes }: Choice): void {
  const grants = consent || trustClock
  if (dryRun && grants) throw new GridError('E_USAGE', '--dry-run deletes nothing: leave it out')
  if (yes && !grants) throw new GridError('E_USAGE', '--yes needs --consent or --trust-clock')
  if (!grants || yes || world.ask !== undefined) return
  throw new GridError('E_USAGE', 'there is nobody to ask whether that may go', {
    hint: 'see what is due with --dry-run; if it may go, give --yes',
  })
}

/** One place after another: each reads and syncs for itself. */
async function sweepAll(
  places: readonly SweepPlace[],
  wishOf: (index: number) => Parameters<SweepPlace['sweep']>[0],
): Promise<SweepReport[]> {
  const reports: SweepReport[] = []
  for (const [i, place] of places.entries()) reports.push(await place.sweep(wishOf(i)))
  return reports
}

/** Throws E_USAGE unless whoever sits at the terminal agrees to what was given. */
async function askFor(
  { world, signal }: Context,
  looks: readonly SweepReport[],
  { consent, trustClock, yes }: Choice,
): Promise<void> {
  const agree = async (question: string): Promise<void> => {
    const answer = await world.ask!(`${question} (yes/no) `, { signal })
    if (answer.trim().toLowerCase() === 'yes') return
    throw new GridError('E_USAGE', 'not agreed: nothing was deleted')
  }
  if (yes) return
  if (trustClock && looks.some(({ refusal }) => refusal === 'clock'))
    await agree(`Is it ${momentText(world.clock.nowMs())} now?`)
  const much = looks.filter(({ due, freeShares }) => due.shares > freeShares)
  if (!consent || much.length === 0) return
  const shares = sumOf(much, ({ due }) => due.shares)
  const bytes = sumOf(much, ({ due }) => due.bytes)
  await agree(`Delete ${shares} shares, ${formatByteSize(bytes)}, for good?`)
}

function sumOf(reports: readonly SweepReport[], of: (report: SweepReport) => number): number {
  return reports.reduce((sum, report) => sum + of(report), 0)
}
