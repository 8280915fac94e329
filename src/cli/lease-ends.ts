/** When what this home put without an account ends, by its own record: servers tell nobody. */
import { formatCap } from '../caps/text.ts'
import type { Config } from '../node/home/config.ts'
import { leaseGraceMs, usualLeaseMs } from '../node/home/lease-record.ts'
import { leaseNameOf, type LeaseRow } from '../node/home/lease-rows.ts'
import { isEmbedded } from '../node/own-folders.ts'
import type { Context } from './command.ts'
import { keeperCapsOf, leasesOf } from './home-keeper.ts'
import { type End, soonMs, termOf, termText } from './end-item.ts'
import { momentText } from './time-text.ts'

const what = 'leases'
const renewal = 'grid keeper add CAP, for the cap of each, then: grid keeper run --once'

/** None where nothing ends: in folders of this machine, and where nothing was put. @throws E_IO */
export async function leaseEnds(context: Context, config: Config): Promise<End[]> {
  if (isEmbedded(config)) return []
  const nowMs = context.world.clock.nowMs()
  const record = await leasesOf(context).read()
  if (record === undefined) {
    const text = `${what}: this home has no record of what it put, so it is not known what ends`
    return [unknown(text)]
  }
  const { rows, sinceMs } = record
  const left = [...rows].filter(([, { lastMs }]) => endOf(lastMs) + leaseGraceMs > nowMs)
  const ends: End[] = []
  if (left.length > 0) ends.push(await endOfRows(context, left, nowMs))
  if (sinceMs !== undefined && endOf(sinceMs) + leaseGraceMs > nowMs)
    ends.push(unknown(`${what}: what was put before ${momentText(sinceMs)} is not known to end`))
  return ends
}

async function endOfRows(
  context: Context,
  rows: readonly (readonly [name: string, row: LeaseRow])[],
  nowMs: number,
): Promise<End> {
  let firstMs = Infinity
  let objects = 0
  for (const [, row] of rows) {
    firstMs = Math.min(firstMs, row.firstMs)
    objects += row.objects
  }
  const soon = rows.filter(([, { firstMs }]) => endOf(firstMs) <= nowMs + soonMs)
  const soonObjects = soon.reduce((sum, [, { objects }]) => sum + objects, 0)
  const term = termOf(endOf(firstMs), nowMs)
  const counted = soonObjects === 0 ? '' : `, ${soonObjects} within 60 days`
  const names = soon.map(([name]) => name)
  return {
    ...{ what, ...term },
    text: `${what}: of ${objects} objects put without an account the first ${termText(term)}${counted}`,
    next: (await isKept(context, names)) ? 'grid keeper run' : renewal,
    facts: { objects, soonObjects },
  }
}

/** Whether the keeper of this home looks after all of these. */
async function isKept(context: Context, names: readonly string[]): Promise<boolean> {
  if (names.length === 0) return false
  const caps = await keeperCapsOf(context).list()
  const kept = new Set(caps.map((cap) => leaseNameOf(formatCap(cap))))
  return names.every((name) => kept.has(name))
}

function endOf(heldMs: number): number {
  return heldMs + usualLeaseMs
}

function unknown(text: string): End {
  return { what, state: 'unknown', endsAtMs: null, days: null, text, next: renewal }
}
