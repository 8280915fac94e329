/** What must be so before a server deletes anything: a clock that goes as it should. */
import path from 'node:path'
import { concat, readU64be, u64be } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { readKept, replaceKept } from '../../base/kept-file.ts'
import { onDisk } from '../disk-failure.ts'

/** What was found at a look at the clock. */
export interface ClockLook {
  /** The wall clock. */
  wallMs: number
  /** How long it had gone as it should, as far as looks tell. */
  steadyMs: number
}

/** What of it outlives the process. */
export interface SweepMemory {
  /** Of the last look; undefined for none. */
  lastLook(): Promise<ClockLook | undefined>
  see(look: ClockLook): Promise<void>
}

const dayMs = 24 * 3600 * 1000
/** Of a clock that was never seen to jump. */
const alwaysMs = Number.MAX_SAFE_INTEGER

export interface ClockWatchOptions {
  clock: Clock
  memory: SweepMemory
  /** How far the wall clock may go between two looks, more or less than was measured; a day unless told. */
  believedMs?: number
}

/**
 * Compares the wall clock with the monotonic one, and with what it was at the last look, maybe before a
 * restart. A server that was off for more than is believed cannot tell that from a jump.
 */
export class ClockWatch {
  readonly #clock: Clock
  readonly #memory: SweepMemory
  readonly #believedMs: number
  #last: (ClockLook & { monotonicMs: number }) | undefined

  constructor({ clock, memory, believedMs = dayMs }: ClockWatchOptions) {
    this.#clock = clock
    this.#memory = memory
    this.#believedMs = believedMs
  }

  /** Notes the time, and whether it went on since the last look as it should. Throws E_FULL, E_IO. */
  async look(): Promise<ClockLook> {
    const monotonicMs = this.#monotonicMs()
    const look = await this.peek()
    this.#last = { ...look, monotonicMs }
    await this.#memory.see(look)
    return look
  }

  /** As `look`, and notes nothing. Throws E_IO. */
  async peek(): Promise<ClockLook> {
    const wallMs = Math.max(0, Math.floor(this.#clock.nowMs()))
    const before = this.#last ?? (await this.#memory.lastLook())
    if (before === undefined) return { wallMs, steadyMs: alwaysMs }
    const measuredMs = this.#last === undefined ? 0 : this.#monotonicMs() - this.#last.monotonicMs
    const wentMs = wallMs - before.wallMs
    if (Math.abs(wentMs - measuredMs) > this.#believedMs) return { wallMs, steadyMs: 0 }
    // over a restart nothing is measured, and what is believed counts
    const passedMs = Math.max(this.#last === undefined ? wentMs : measuredMs, 0)
    return { wallMs, steadyMs: Math.min(alwaysMs, before.steadyMs + passedMs) }
  }

  /** When it looked last; wall time in ms. Throws E_IO. */
  async lastMs(): Promise<number | undefined> {
    return (this.#last ?? (await this.#memory.lastLook()))?.wallMs
  }

  #monotonicMs(): number {
    return Math.floor(this.#clock.monotonicMs())
  }
}

/** Of a server that does not outlive its process. */
export class BriefSweepMemory implements SweepMemory {
  async lastLook(): Promise<undefined> {}

  async see(): Promise<void> {}
}

const lookBytes = 16

/** `<directory>/clock`. */
export class DiskSweepMemory implements SweepMemory {
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  async lastLook(): Promise<ClockLook | undefined> {
    const bytes = await onDisk('read', readKept(this.#clockFile(), lookBytes))
    if (bytes?.length !== lookBytes) return undefined
    const [wallMs, steadyMs] = [readU64be(bytes, 0), readU64be(bytes, 8)]
    return wallMs === undefined || steadyMs === undefined ? undefined : { wallMs, steadyMs }
  }

  async see({ wallMs, steadyMs }: ClockLook): Promise<void> {
    await onDisk('write', replaceKept(this.#clockFile(), concat(u64be(wallMs), u64be(steadyMs))))
  }

  #clockFile(): { disk: Disk; path: string } {
    return { disk: this.#disk, path: path.join(this.#directory, 'clock') }
  }
}
