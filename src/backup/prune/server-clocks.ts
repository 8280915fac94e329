/** What a prune takes servers' clocks for (docs/specs/prune.md, "Cutoff"). */
import { hourMs } from './calendar.ts'

export interface ServerClock {
  /** Peer id. */
  server: string
  nowMs: number
}

export interface Cutoff {
  /** Holds that were touched at or after it stay; undefined if no clock is fit to tell. */
  cutoffMs: number | undefined
  /** Whose clocks it was made from, and who may be handed the release. */
  servers: readonly string[]
  /** Whose clocks are far off, and by how much: what was touched there may look older than it is. */
  astray: readonly { server: string; aheadMs: number }[]
}

/** A device commits what it touched at most 48 h before; a day more is for clocks, and for what is on its way. */
export const touchMarginMs: number = 72 * hourMs
const maxClockErrorMs = hourMs

/** @param ownMs - the pruner's own clock, when the others were read: before the log is */
export function cutoffOf(clocks: readonly ServerClock[], ownMs: number): Cutoff {
  const isRight = ({ nowMs }: ServerClock): boolean => Math.abs(nowMs - ownMs) <= maxClockErrorMs
  const right = clocks.filter(isRight)
  const astray = clocks
    .filter((clock) => !isRight(clock))
    .map(({ server, nowMs }) => ({ server, aheadMs: nowMs - ownMs }))
  const earliestMs = Math.min(ownMs, ...right.map(({ nowMs }) => nowMs))
  const cutoffMs =
    right.length === 0 ? undefined : Math.max(1, Math.floor(earliestMs) - touchMarginMs)
  return { cutoffMs, servers: right.map(({ server }) => server), astray }
}
