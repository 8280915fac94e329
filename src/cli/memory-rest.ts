/**
 * A node that has worked and has nothing to do gives its memory back: it stays for months, and what
 * a busy minute needed would otherwise be held till its end.
 */
import { type Clock, sleep } from '../base/clock.ts'

export interface MemoryRestOptions {
  clock: Clock
  signal: AbortSignal
  /** Processor time that the process has had so far. */
  cpuMs: () => number
  giveBack: () => Promise<void>
}

const lookMs = 10_000
/** So little work in that time is none: a crowd of idle connections takes as much. */
const idleMs = lookMs / 20
/** After so much work there is something to give back. */
const workedMs = 2_000

/** Looks again and again until the signal aborts; rejects with its reason. */
export async function restWhenIdle(options: MemoryRestOptions): Promise<never> {
  const { clock, signal, cpuMs, giveBack } = options
  // what starting took is there from the first
  let restedAtMs = -Infinity
  let before = cpuMs()
  for (;;) {
    await sleep(clock, lookMs, { signal })
    const now = cpuMs()
    if (now - before < idleMs && now - restedAtMs > workedMs) {
      await giveBack()
      restedAtMs = cpuMs()
    }
    before = now
  }
}
