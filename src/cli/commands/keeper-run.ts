import { errorText } from '../../base/errors.ts'
import { formatCap } from '../../caps/text.ts'
import { Keeper, type KeeperEvent, type Visit } from '../../keeper/keeper.ts'
import type { VerifyCap } from '../../node/check/objects-of-cap.ts'
import type { LeaseRecord } from '../../node/home/lease-record.ts'
import { openHome } from '../../node/home/home.ts'
import { depthOf, depthOptions, objectName } from '../check-lines.ts'
import { command, type Command, type Context } from '../command.ts'
import { parseDurationMs } from '../duration.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { keeperCapsOf, leasesOf, lockKeeper, openKeeperState } from '../home-keeper.ts'
import { openHomeGrid } from '../home-grid.ts'
import { flag, value } from '../option.ts'
import type { Facts } from '../output.ts'

const weekMs = 7 * 24 * 3_600_000

export const keeperRun: Command = command({
  arguments: [],
  options: {
    ...depthOptions,
    once: flag('--once', 'look after what is due, and end'),
    every: value(
      '--every <TIME>',
      'how long to leave a cap alone after a visit; 7d unless given',
      'a time like 7d',
      parseDurationMs,
    ),
    threshold: value(
      '--threshold <N>',
      'repair what has N shares or fewer; by its coding unless given, 7 at 3-of-10',
      'a number of 1 to 255',
      (given) => (/^[1-9]\d{0,2}$/.test(given) && Number(given) <= 255 ? Number(given) : undefined),
    ),
  },
  examples: [
    ['grid keeper run --json >> keeper.log', 'keep at it, and write down what happens'],
    ['grid keeper run --once', 'from a timer'],
  ],
  async run(context, { options }) {
    const { once, every = weekMs, threshold } = options
    const { world, home, signal } = context
    await openHome(home)
    const lock = await lockKeeper(context)
    try {
      const leases = leasesOf(context)
      const grid = await openHomeGrid(context)
      try {
        const keeper = new Keeper({
          clock: world.clock,
          upkeep: grid.upkeep,
          caps: keeperCapsOf(context),
          state: await openKeeperState(context),
          everyMs: every,
          depth: depthOf(options),
          atMost: threshold === undefined ? undefined : () => threshold,
          onEvent: (event) => tell(context, event),
          onRenewed: (cap) => noteRenewal(context, leases, cap),
        })
        if (!once) return await keeper.run({ signal })
        const visits = await keeper.runOnce({ signal })
        const failed = visits.filter((visit) => visit === undefined).length
        const text = `looked after ${visits.length} caps${failed > 0 ? `, ${failed} failed` : ''}`
        return { summary: { visited: visits.length, failed }, text, exit: exitOf(visits) }
      } finally {
        await grid.close()
        await leases.close().catch(() => undefined)
      }
    } finally {
      await lock.release()
    }
  },
})

/** What cannot be written down makes status warn too early. */
async function noteRenewal(
  { output }: Context,
  leases: LeaseRecord,
  cap: VerifyCap,
): Promise<void> {
  await leases.renew(formatCap(cap)).catch(async (error: unknown) => {
    await output.warning(`that leases were renewed could not be written down: ${errorText(error)}`)
  })
}

async function tell({ output, world }: Context, event: KeeperEvent): Promise<void> {
  const time = new Date(world.clock.nowMs()).toISOString()
  const { event: name, ...rest } = event
  const facts: Facts =
    'root' in rest ? { ...rest, root: undefined, object: objectName(rest) } : rest
  const next = 'nextMs' in event ? { next: new Date(event.nextMs).toISOString() } : {}
  await output.item({ time, event: name, ...facts, ...next }, `${time}  ${textOf(event)}`)
}

function textOf(event: KeeperEvent): string {
  switch (event.event) {
    case 'started':
      return `${event.due} of ${event.caps} caps are due`
    case 'object': {
      const counts = `from ${event.before} to ${event.servers} servers`
      return `${event.outcome}  ${objectName(event)}  ${counts}, ${event.written} shares written`
    }
    case 'hidden':
      return `unknown  ${event.what}: ${event.reason}`
    case 'renewal-failed':
      return `not renewed  ${event.cap} at ${event.server}: ${event.reason}`
    case 'visited': {
      const { objects, healthy, degraded, unmended, lost, unknown } = event
      const counts = { healthy, degraded, 'not mended': unmended, lost, unknown }
      const parts = Object.entries(counts).filter(([, number]) => number > 0)
      const states = parts.map(([state, number]) => `${number} ${state}`).join(', ')
      return `visited  ${event.cap}  ${objects} objects${states === '' ? '' : `: ${states}`}`
    }
    case 'failed':
      return `failed  ${event.cap}: ${event.reason}`
  }
}

function exitOf(visits: readonly (Visit | undefined)[]): ExitCode {
  const seen = visits.filter((visit) => visit !== undefined)
  if (seen.some(({ lost }) => lost > 0)) return exitCodes.notEnoughShares
  if (seen.some(({ unmended }) => unmended > 0)) return exitCodes.notEnoughServers
  const isPartly = seen.length < visits.length || seen.some(({ unknown }) => unknown > 0)
  return isPartly ? exitCodes.partlyDone : exitCodes.ok
}
