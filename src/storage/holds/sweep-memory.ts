/** What must be so before a server deletes anything: a clock that goes as it should, and consent where much would go. */
import path from 'node:path'
import { concat, readU64be, u64be } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { readKept, replaceKept } from '../../base/kept-file.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'

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
  /** Whether the operator agrees that much is deleted. */
  hasConsent(): Promise<boolean>
  /** The consent has served. */
  useConsent(): Promise<void>
}

const longestJumpMs = 24 * 3600 * 1000
/** Of a clock that was never seen to jump. */
const alwaysMs = Number.MAX_SAFE_INTEGER

/**
 * Compares the wall clock with the monotonic one, and with what it was at the last look, maybe before a
 * restart. A server that was off for more than a day cannot tell that from a jump.
 */
export class ClockWatch {
  readonly #clock: Clock
  readonly #memory: SweepMemory
  #last: (ClockLook & { monotonicMs: number }) | undefined

  constructor(clock: Clock, memory: SweepMemory) {
    this.#clock = clock
    this.#memory = memory
  }

  /** Notes the time, and whether it went on since the last look as it should: to a day. Throws E_FULL, E_IO. */
  async look(): Promise<ClockLook> {
    const wallMs = Math.max(0, Math.floor(this.#clock.nowMs()))
    const monotonicMs = Math.floor(this.#clock.monotonicMs())
    const before = this.#last ?? (await this.#memory.lastLook())
    const passedMs = this.#last === undefined ? 0 : monotonicMs - this.#last.monotonicMs
    const steadyMs = before === undefined ? alwaysMs : steadyAfter(before, wallMs, passedMs)
    this.#last = { wallMs, monotonicMs, steadyMs }
    await this.#memory.see({ wallMs, steadyMs })
    return { wallMs, steadyMs }
  }
}

/** @param passedMs - by the monotonic clock, since `before`; 0 after a restart */
function steadyAfter(before: ClockLook, wallMs: number, passedMs: number): number {
  if (Math.abs(wallMs - before.wallMs - passedMs) > longestJumpMs) return 0
  return Math.min(alwaysMs, before.steadyMs + Math.max(passedMs, 0))
}

/** Of a server that does not outlive its process. */
export class BriefSweepMemory implements SweepMemory {
  async lastLook(): Promise<undefined> {}

  async see(): Promise<void> {}

  async hasConsent(): Promise<boolean> {
    return false
  }

  async useConsent(): Promise<void> {}
}

const lookBytes = 16

/** `<directory>/clock`, and `<directory>/consent`: a file that the operator makes, and that serves once. */
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

  async hasConsent(): Promise<boolean> {
    return (await ifPresent(this.#disk.fileSize(this.#consent()))) !== undefined
  }

  async useConsent(): Promise<void> {
    await ifPresent(this.#disk.unlink(this.#consent()), 'write')
  }

  #clockFile(): { disk: Disk; path: string } {
    return { disk: this.#disk, path: path.join(this.#directory, 'clock') }
  }

  #consent(): string {
    return path.join(this.#directory, 'consent')
  }
}
