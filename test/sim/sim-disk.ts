/**
 * The disk of one simulated host. It outlives the processes that use it, each through a port of its
 * own (`mount`). Calls take time and end in any order, fail where the plan says so, and a power cut
 * leaves what a real one may leave (`disk-image.ts`).
 */
import type { Clock } from '../../src/base/clock.ts'
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import { DiskImage, replaceBytes } from './disk-image.ts'
import { MountedDisk } from './mounted-disk.ts'
import type { SimRandom } from './sim-random.ts'

export type DiskCall = keyof Disk | keyof DiskFile

/** Fails `count` calls of one kind with a system error, after letting `skip` of them pass. */
export interface DiskFault {
  call: DiskCall
  code: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS' | 'EMFILE'
  skip: number
  count: number
}

/** What a medium may do to a file that nobody touches. */
export const rots = ['bit-flip', 'zeroed-block', 'misdirected', 'cut', 'vanished'] as const
export type Rot = (typeof rots)[number]

export interface SimDiskOptions {
  random: SimRandom
  totalBytes?: number
  /** Mean time of one call. */
  latencyMs?: number
  /** Told of each fault when it strikes. */
  onFault?: (kind: string) => void
}

export const blockBytes = 4096

const changing: ReadonlySet<DiskCall> = new Set([
  'create',
  'rename',
  'unlink',
  'makeDirectory',
  'write',
])

export class SimDisk {
  readonly image: DiskImage = new DiskImage()
  readonly random: SimRandom
  readonly totalBytes: number
  readonly #latencyMs: number
  readonly #onFault: (kind: string) => void
  readonly #faults: DiskFault[] = []
  #mounted: MountedDisk | undefined
  /** Every change fails, as on a file system that went read-only after an error. */
  readOnly = false
  /** There is no room for more. */
  full = false
  /** No call ends before this monotonic time. */
  stalledUntilMs = 0

  constructor(options: SimDiskOptions) {
    this.random = options.random
    this.totalBytes = options.totalBytes ?? 2 ** 30
    this.#latencyMs = options.latencyMs ?? 0.2
    this.#onFault = options.onFault ?? (() => {})
  }

  /** The port of a new process, on its clock; that of the one before goes dead. */
  mount(clock: Clock): MountedDisk {
    this.kill()
    this.#mounted = new MountedDisk(this, clock)
    return this.#mounted
  }

  /** Whether a process uses it. */
  get isMounted(): boolean {
    return this.#mounted !== undefined
  }

  /** Files that the running process holds open. */
  get openFiles(): number {
    return this.#mounted?.openFiles ?? 0
  }

  get freeBytes(): number {
    return this.full ? 0 : Math.max(0, this.totalBytes - this.image.usedBytes(blockBytes))
  }

  /** Lets a fault lie in wait. */
  arm(fault: DiskFault): void {
    this.#faults.push({ ...fault })
  }

  /** Takes away the faults that have not struck. */
  disarm(): void {
    this.#faults.length = 0
  }

  /** The process dies: its calls under way happen or not and never answer; the system keeps all it saw. */
  kill(): void {
    this.#mounted?.die()
    this.#mounted = undefined
  }

  /** The power goes: as `kill`, and of what was not synced a part drawn from the seed is lost. */
  cutPower(): void {
    this.kill()
    this.image.cutPower(this.random)
  }

  /** Spoils one named file that `chosen` takes; returns its path, or undefined where there is none. */
  rot(kind: Rot, chosen: (path: string) => boolean): string | undefined {
    const files = [...this.image.files()].filter(({ path, file }) => chosen(path) && file.size > 0)
    if (files.length === 0) return undefined
    const { path, file } = this.random.pick(files)
    const bytes = file.live.slice(0, file.size)
    const at = this.random.below(bytes.length)
    const block = at - (at % blockBytes)
    if (kind === 'bit-flip') bytes[at] ^= 1 << this.random.below(8)
    if (kind === 'zeroed-block') bytes.fill(0, block, block + blockBytes)
    if (kind === 'misdirected') bytes.set(this.random.bytes(Math.min(512, bytes.length - at)), at)
    if (kind === 'vanished') this.image.forget(path)
    else replaceBytes(file, kind === 'cut' ? bytes.subarray(0, at) : bytes)
    return path
  }

  /** How long a call that starts at `nowMs` takes. */
  durationMs(nowMs: number): number {
    return Math.max(0, this.stalledUntilMs - nowMs) + this.random.exponential(this.#latencyMs)
  }

  /** The error that a call must end with now, if any. */
  strike(call: DiskCall): DiskFault['code'] | undefined {
    if (this.readOnly && changing.has(call)) return 'EROFS'
    const fault = this.#faults.find((each) => each.call === call)
    if (fault === undefined || fault.skip-- > 0) return undefined
    if (--fault.count <= 0) this.#faults.splice(this.#faults.indexOf(fault), 1)
    this.#onFault(`${fault.code} at ${call}`)
    return fault.code
  }
}
