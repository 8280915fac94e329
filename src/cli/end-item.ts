/** One thing that ends by itself, as `grid status` tells of it. */
import type { Facts } from './output.ts'
import type { StatusItem } from './status-items.ts'
import { isoText } from './time-text.ts'

/** One thing that ends, or that is not known to. */
export interface End {
  what: 'member' | 'members' | 'revocation' | 'leases' | 'psk' | 'restore test'
  /** `degraded`: within 30 days, or past, or half done to no good; `under way`: half done on purpose. */
  state: 'ok' | 'degraded' | 'unknown' | 'under way' | 'never worked'
  /** Wall time; null where it is not known, or it is no matter of time. */
  endsAtMs: number | null
  /** To its end, rounded down: below 0 where it is past. */
  days: number | null
  /** The next command, or what else to do. */
  next: string
  text: string
  /** It is not known since something failed: as bad as degraded. */
  isAmiss?: boolean
  facts?: Facts
}

export const dayMs = 86_400_000
/** What ends within this is told as degraded, */
export const urgentMs: number = 30 * dayMs
/** and within this it is counted. */
export const soonMs: number = 60 * dayMs

/** Days to a moment, and what that makes of the state. */
export function termOf(
  endsAtMs: number,
  nowMs: number,
): { endsAtMs: number; days: number; state: 'ok' | 'degraded' } {
  const days = Math.floor((endsAtMs - nowMs) / dayMs)
  return { endsAtMs, days, state: endsAtMs - nowMs <= urgentMs ? 'degraded' : 'ok' }
}

/** `ends in 12 days`, `ended 3 days ago`. */
export function termText({ days }: { days: number }): string {
  return days < 0 ? `ended ${-days - 1} days ago` : `ends in ${days} days`
}

/** As a line of `status`. */
export function itemOfEnd(end: End): StatusItem {
  const { text, state, next } = end
  const ends = isoText(end.endsAtMs ?? undefined)
  return {
    text: state === 'ok' ? text : `${text}; try: ${next}`,
    facts: { about: 'end', ...factsOfEnd(end), ends },
  }
}

/** For the summary of `status --json`. */
export function factsOfEnd({ what, endsAtMs, days, next, state, facts }: End): Facts {
  return { ...facts, what, endsAtMs, days, next, state }
}
