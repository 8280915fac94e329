/** What must be so before a server deletes anything: a clock that goes as it should, and consent where much would go. */
import path from 'node:path'
import { readU64be, u64be } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { readKept, replaceKept } from '../../base/kept-file.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'

/** What of it outlives the process. */
export interface SweepMemory {
  /** When it was looked last, by the wall clock; undefined for never. */
  lastSeenMs(): Promise<number | undefined>
  see(wallMs: number): Promise<void>
  /** Whether the operator agrees that much is deleted. */
  hasConsent(): Promise<boolean>
  /** The consent has served. */
  useConsent(): Promise<void>
}

const longestJumpMs = 24 * 3600 * 1000

/** Compares the wall clock with the monotonic one, and with what it was at the last look, maybe before a restart. */
export class ClockWatch {
  readonly #clock: Clock
  readonly #memory: SweepMemory
  #last: { wallMs: number; monotonicMs: number } | undefined

  constructor(clock: Clock, memory: SweepMemory) {
    this.#clock = clock
    this.#memory = memory
  }

  /** Notes the time, and says whether it went on since the last look as it should: to a day. Throws E_FULL, E_IO. */
  async isSteady(): Promise<boolean> {
    const wallMs = Math.max(0, Math.floor(this.#clock.nowMs()))
    const monotonicMs = this.#clock.monotonicMs()
    const last = this.#last
    const seenMs = last?.wallMs ?? (await this.#memory.lastSeenMs())
    this.#last = { wallMs, monotonicMs }
    await this.#memory.see(wallMs)
    if (seenMs === undefined) return true
    const expectedMs = last === undefined ? 0 : monotonicMs - last.monotonicMs
    return Math.abs(wallMs - seenMs - expectedMs) <= longestJumpMs
  }
}

/** Of a server that does not outlive its process. */
export class BriefSweepMemory implements SweepMemory {
  async lastSeenMs(): Promise<undefined> {}

  async see(): Promise<void> {}

  async hasConsent(): Promise<boolean> {
    return false
  }

  async useConsent(): Promise<void> {}
}

/** `<directory>/clock`, and `<directory>/consent`: a file that the operator makes, and that serves once. */
export class DiskSweepMemory implements SweepMemory {
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  async lastSeenMs(): Promise<number | undefined> {
    const bytes = await onDisk('read', readKept(this.#clockFile(), 8))
    return bytes?.length === 8 ? readU64be(bytes, 0) : undefined
  }

  async see(wallMs: number): Promise<void> {
    await onDisk('write', replaceKept(this.#clockFile(), u64be(wallMs)))
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
