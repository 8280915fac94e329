/**
 * A trace that writes one scrubbed JSON line per event: what a log file keeps. Whatever strangers make
 * happen, a line is one line, shows nothing but its text, and of one kind there are only so many.
 */
import type { Clock } from '../base/clock.ts'
import { escapeUnfit } from '../base/plain-text.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import type { Trace } from '../base/trace.ts'
import { scrub } from '../caps/scrub.ts'

/** Lines of one kind of event: so many at once, and so many a second. */
const burstLines = 1000
const linesPerSecond = 10
/** Of a text in an event; the rest is left out. */
const maxTextChars = 4000

/** Gives each event to all of `writers`, with the time (RFC 3339, UTC) in front. */
export function lineTrace(clock: Clock, writers: readonly ((line: string) => void)[]): Trace {
  const kinds = new Map<string, { rate: TokenBucket; leftOut: number }>()
  return {
    event(name, facts) {
      if (writers.length === 0) return
      const rate = { clock, tokensPerSecond: linesPerSecond, burst: burstLines }
      const kind = kinds.get(name) ?? { rate: new TokenBucket(rate), leftOut: 0 }
      kinds.set(name, kind)
      if (!kind.rate.tryTake(1)) {
        kind.leftOut++
        return
      }
      const time = new Date(clock.nowMs()).toISOString()
      const more = kind.leftOut > 0 ? { leftOutBefore: kind.leftOut } : {}
      kind.leftOut = 0
      const line = escapeUnfit(
        scrub(JSON.stringify({ time, event: name, ...facts, ...more }, clipped)),
      )
      for (const write of writers) write(line)
    },
  }
}

function clipped(_key: string, value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= maxTextChars) return value
  return `${value.slice(0, maxTextChars)}…`
}
