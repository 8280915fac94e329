/**
 * What a long command shows while it works: one line per task, drawn over on a terminal, written
 * anew every ten seconds elsewhere, and one JSON line a second for programs.
 */
import { formatByteSize } from '../base/byte-size.ts'
import type { Clock } from '../base/clock.ts'
import { formatRemaining } from './duration.ts'
import { Meter } from './meter.ts'

/** What is known of a task at one moment; rate and end are left out until they can be told. */
export interface ProgressFacts {
  task: string
  doneBytes: number
  totalBytes?: number
  bytesPerSecond?: number
  remainingMs?: number
  /** More in words, such as `7/10 shares`. */
  detail?: string
}

/** A task under way. */
export interface Task {
  /** Says how far it is: cheap, call it as often as you like. */
  advance(doneBytes: number, detail?: string): void
  /** Says how much there is in all, once that is known. */
  expect(totalBytes: number): void
  /** Takes it off the screen, finished or not; twice does nothing. */
  end(): void
}

export interface Progress {
  /** @param totalBytes - undefined when not known, as for stdin */
  start(task: string, totalBytes: number | undefined): Task
}

export const noProgress: Progress = { start: () => ({ advance() {}, expect() {}, end() {} }) }

export class TimedProgress implements Progress {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #show: (facts: ProgressFacts | undefined) => void

  /** @param show - takes what to show every `intervalMs`, and undefined at the end of a task */
  constructor(clock: Clock, intervalMs: number, show: (facts: ProgressFacts | undefined) => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#show = show
  }

  start(task: string, totalBytes: number | undefined): Task {
    const meter = new Meter(this.#clock.monotonicMs(), totalBytes)
    let done = 0
    let detail: string | undefined
    const tick = (): void => {
      const nowMs = this.#clock.monotonicMs()
      meter.update(nowMs, done)
      this.#show(factsOf(task, meter, nowMs, detail))
      cancel = this.#clock.after(this.#intervalMs, tick)
    }
    let cancel: (() => void) | undefined = this.#clock.after(this.#intervalMs, tick)
    return {
      advance(doneBytes, words) {
        done = doneBytes
        detail = words
      },
      expect(bytes) {
        meter.totalBytes = bytes
      },
      end: () => {
        if (cancel === undefined) return
        cancel()
        cancel = undefined
        this.#show(undefined)
      },
    }
  }
}

/** One line for people: `photo.jpg  34 % of 1.00 GiB  12.0 MiB/s  about 3 min  7/10 shares`. */
export function progressLine(facts: ProgressFacts): string {
  const { task, doneBytes, totalBytes, bytesPerSecond, remainingMs, detail } = facts
  const parts = [task, amountOf(doneBytes, totalBytes)]
  if (bytesPerSecond !== undefined) parts.push(`${formatByteSize(bytesPerSecond)}/s`)
  if (remainingMs !== undefined) parts.push(formatRemaining(remainingMs))
  if (detail !== undefined) parts.push(detail)
  return parts.join('  ')
}

function amountOf(doneBytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined) return formatByteSize(doneBytes)
  const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes)
  return `${Math.min(percent, 100)} % of ${formatByteSize(totalBytes)}`
}

function factsOf(
  task: string,
  meter: Meter,
  nowMs: number,
  detail: string | undefined,
): ProgressFacts {
  const { doneBytes, totalBytes } = meter
  const bytesPerSecond = meter.bytesPerSecond(nowMs)
  const remainingMs = meter.remainingMs(nowMs)
  return {
    task,
    doneBytes,
    ...(totalBytes !== undefined && { totalBytes }),
    ...(bytesPerSecond !== undefined && { bytesPerSecond: Math.round(bytesPerSecond) }),
    ...(remainingMs !== undefined && { remainingMs: Math.round(remainingMs) }),
    ...(detail !== undefined && { detail }),
  }
}
