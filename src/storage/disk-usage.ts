/**
 * What a server's directory takes on the disk, as `du` counts it: everything but share files, which the
 * share store counts itself. Directories, indexes, journals and logs are few: they are looked at anew when
 * somebody asks, as often as that costs little.
 */
import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import { type Disk, isDiskError } from '../base/disk.ts'
import { mapWithin } from '../base/limit.ts'
import { diskFailure } from './disk-failure.ts'

export interface DiskUsageOptions {
  disk: Disk
  clock: Clock
  /** Of the store; it need not be there. */
  root: string
}

/** Files looked at together. */
const concurrency = 16
/** The answer is at most so old, if looking is quick; */
const freshMs = 1000
/** a look that takes long is not repeated before so many times its length. */
const restFactor = 50
/** Deep enough for all that a server keeps; a stranger's tree is cut off. */
const maxDepth = 8

export class DiskUsage {
  readonly #options: DiskUsageOptions
  #otherBytes: number | undefined
  #nextMs = -Infinity
  #looking: Promise<void> | undefined

  constructor(options: DiskUsageOptions) {
    this.#options = options
  }

  /** Bytes besides share files; not older than a second, or than looking allows. */
  async otherBytes(): Promise<number> {
    const { clock } = this.#options
    if (this.#looking === undefined && clock.monotonicMs() >= this.#nextMs) {
      this.#looking = this.#look().finally(() => (this.#looking = undefined))
      this.#looking.catch(() => undefined)
    }
    // after the first time nobody waits for a long look
    if (this.#otherBytes === undefined || this.#nextMs - clock.monotonicMs() < freshMs)
      await this.#looking
    return this.#otherBytes ?? 0
  }

  async #look(): Promise<void> {
    const { clock, root } = this.#options
    const startMs = clock.monotonicMs()
    this.#otherBytes = await this.#bytesOf(root, 0)
    const tookMs = clock.monotonicMs() - startMs
    this.#nextMs = clock.monotonicMs() + Math.max(freshMs / 2, restFactor * tookMs)
  }

  async #bytesOf(at: string, depth: number): Promise<number> {
    const { disk, root } = this.#options
    const entry = await present(disk.entry(at))
    if (entry === undefined) return 0
    if (!entry.isDirectory) return entry.diskBytes
    // what is in the directories of shares is the store's to count
    const isShares = path.dirname(at) === path.join(root, 'shares')
    if (isShares || depth >= maxDepth) return entry.diskBytes
    const names = (await present(disk.readDirectory(at))) ?? []
    const below = await mapWithin(concurrency, names, (name) =>
      this.#bytesOf(path.join(at, name), depth + 1),
    )
    return below.reduce((sum, bytes) => sum + bytes, entry.diskBytes)
  }
}

/**
 * What comes and goes while it is looked at counts as nothing, and so does what is in a directory that only
 * others may read, as `lost+found` where a file system begins. Throws E_IO.
 */
async function present<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isDiskError(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined
    throw diskFailure(error, 'read')
  }
}
