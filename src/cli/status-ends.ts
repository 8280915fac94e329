/**
 * What ends by itself, or is half done, as far as this home knows: nobody else is asked for it. What is
 * not known is an end of its own, and is never ok.
 */
import path from 'node:path'
import { errorText } from '../base/errors.ts'
import { plainText } from '../base/plain-text.ts'
import type { State } from '../node/grid-state.ts'
import type { Config } from '../node/home/config.ts'
import { readHomeConfig } from './home-config.ts'
import type { Context } from './command.ts'
import { leaseEnds } from './lease-ends.ts'
import { memberEnds } from './member-ends.ts'
import { dayMs, type End } from './end-item.ts'
import type { StatusItem } from './status-items.ts'

/** The most urgent first. Throws as `readHomeConfig`. */
export async function endsOf(context: Context): Promise<End[]> {
  const config = await readHomeConfig(context)
  const ends = [
    ...(await orUnknown('members', 'grid members', () => memberEnds(context, config))),
    ...(await orUnknown('leases', 'see the file that it names', () => leaseEnds(context, config))),
    ...pskEnds(config),
  ]
  const isUrgent = ({ state }: End): boolean => state === 'degraded'
  return ends.sort(
    (a, b) =>
      Number(isUrgent(b)) - Number(isUrgent(a)) ||
      (a.endsAtMs ?? Infinity) - (b.endsAtMs ?? Infinity),
  )
}

/** Of the tests of restores nothing ends; they are told with the ends, by age. */
export function testEnds(backups: readonly StatusItem[]): End[] {
  return backups.map(({ facts, text }): End => {
    const { log, state, restoreTest = null, ageMs } = facts as Record<string, unknown>
    const ageDays = typeof ageMs === 'number' ? Math.floor(ageMs / dayMs) : null
    return {
      ...{ what: 'restore test', state: state as End['state'], endsAtMs: null, days: null },
      ...{ next: `grid restore-test --log ${String(log)}`, text },
      facts: { log, restoreTest, ageDays },
    }
  })
}

/** A grid where something is about to end is not ok, however well its servers are. */
export function withEnds(overall: State, ends: readonly End[]): State {
  const [first, ...more] = ends.filter(({ state, isAmiss }) => state === 'degraded' || isAmiss)
  if (overall.state !== 'ok' || first === undefined) return overall
  const others = more.length === 0 ? '' : `, and ${more.length} more; see above`
  const cause = plainText(`${first.text}${others}`, 400)
  return { state: 'degraded', sinceMs: undefined, cause, next: first.next }
}

function pskEnds({ grid: { pskFiles } }: Config): End[] {
  const [inUse, ...others] = pskFiles
  if (inUse === undefined || others.length === 0) return []
  const names = others.map((file) => path.basename(file)).join(', ')
  return [
    {
      ...{ what: 'psk', state: 'under way', endsAtMs: null, days: null },
      text: `psk: ${path.basename(inUse)} is dialled with, and ${names} still let in`,
      next: 'once every node dials with the new one, take the old one out of grid.psk_files',
    },
  ]
}

async function orUnknown(
  what: End['what'],
  next: string,
  find: () => Promise<End[]>,
): Promise<End[]> {
  try {
    return await find()
  } catch (error) {
    const text = `${what}: not known what ends: ${errorText(error)}`
    return [{ what, state: 'unknown', endsAtMs: null, days: null, text, next, isAmiss: true }]
  }
}
