/** A trace that writes one scrubbed JSON line per event: what a log file keeps. */
import type { Clock } from '../base/clock.ts'
import type { Trace } from '../base/trace.ts'
import { scrub } from '../caps/scrub.ts'

/** Gives each event to all of `writers`, with the time (RFC 3339, UTC) in front. */
export function lineTrace(clock: Clock, writers: readonly ((line: string) => void)[]): Trace {
  return {
    event(name, facts) {
      if (writers.length === 0) return
      const time = new Date(clock.nowMs()).toISOString()
      const line = scrub(JSON.stringify({ time, event: name, ...facts }))
      for (const write of writers) write(line)
    },
  }
}
