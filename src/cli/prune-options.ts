/** What of a log somebody wants kept, as options. */
import { dayMs, hourMs } from '../backup/prune/calendar.ts'
import { type RetentionPolicy, usualPolicy } from '../backup/prune/policy.ts'
import { list, type List, value, type Value } from './option.ts'

function count(flags: string, summary: string): Value<number> {
  return value(flags, summary, 'a number', (given) =>
    /^[0-9]{1,6}$/.test(given) ? Number(given) : undefined,
  )
}

export const pruneOptions: {
  keepLast: Value<number>
  keepHourly: Value<number>
  keepDaily: Value<number>
  keepWeekly: Value<number>
  keepMonthly: Value<number>
  keepYearly: Value<number>
  keepWithin: Value<number>
  keepTag: List<string>
} = {
  keepLast: count('--keep-last <N>', 'keep the newest N'),
  keepHourly: count('--keep-hourly <N>', 'keep the first and last of N hours'),
  keepDaily: count('--keep-daily <N>', 'keep the first and last of N days'),
  keepWeekly: count('--keep-weekly <N>', 'keep the first and last of N weeks'),
  keepMonthly: count('--keep-monthly <N>', 'keep the first and last of N months'),
  keepYearly: count('--keep-yearly <N>', 'keep the first and last of N years'),
  keepWithin: value(
    '--keep-within <SPAN>',
    'keep all that are no older',
    'a span like 90d or 2y',
    spanMs,
  ),
  keepTag: list('--keep-tag <TAG>', 'keep all with this tag; may be given again'),
}

const unitMs: Readonly<Record<string, number>> = {
  h: hourMs,
  d: dayMs,
  w: 7 * dayMs,
  y: 366 * dayMs,
}

function spanMs(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^([0-9]{1,5})([hdwy])$/.exec(text) ?? []
  return digits === '' ? undefined : Number(digits) * unitMs[unit]
}

/** What was asked for; the usual policy where nothing was. */
export function policyOf(given: {
  [K in keyof typeof pruneOptions]: (typeof pruneOptions)[K] extends List<infer T>
    ? T[]
    : (typeof pruneOptions)[K] extends Value<infer T>
      ? T | undefined
      : never
}): RetentionPolicy {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly } = given
  const policy: RetentionPolicy = {
    ...(keepLast !== undefined && { last: keepLast }),
    ...(keepHourly !== undefined && { hourly: keepHourly }),
    ...(keepDaily !== undefined && { daily: keepDaily }),
    ...(keepWeekly !== undefined && { weekly: keepWeekly }),
    ...(keepMonthly !== undefined && { monthly: keepMonthly }),
    ...(keepYearly !== undefined && { yearly: keepYearly }),
    ...(given.keepWithin !== undefined && { withinMs: given.keepWithin }),
    ...(given.keepTag.length > 0 && { tags: given.keepTag }),
  }
  return Object.keys(policy).length === 0 ? usualPolicy : policy
}
