/**
 * A journal of holds in a directory: each process that writes adds segments of its own, so that no two
 * ever write one file, and whoever finds segments of processes that have ended carries them out. What
 * it takes is bounded by what it says: ended segments are put into one, at a start or beside serving.
 */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { noTrace, type Trace } from '../../base/trace.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'
import type { Writers } from '../disk-store.ts'
import { EndedSegments } from './ended-segments.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldJournal } from './hold-journal.ts'
import type { HoldRecord } from './hold-record.ts'
import { likelyBytes } from './journal-snapshot.ts'
import { SegmentWriter, segmentName, writerOf } from './journal-segment.ts'

/** Segments that are left lying although they are not full; more are put into one at a start. */
const maxSmallSegments = 16

export interface JournalLimits {
  /** A segment that is longer is ended, and another begun. */
  segmentBytes: number
  /** So much of ended segments is left lying, however little they say. */
  endedBytes: number
}

export const journalLimits: JournalLimits = {
  segmentBytes: 32 * 1024 * 1024,
  endedBytes: 64 * 1024 * 1024,
}

export interface DiskHoldJournalOptions {
  disk: Disk
  /** Where its segments lie; made if it is not there. */
  directory: string
  clock: Clock
  writers: Writers
  trace?: Trace
  /** `journalLimits` unless told. */
  limits?: JournalLimits
}

interface Waiting {
  records: readonly HoldRecord[]
  durable: boolean
  resolve: () => void
  reject: (error: unknown) => void
}

export class DiskHoldJournal implements HoldJournal {
  readonly #options: DiskHoldJournalOptions
  readonly #limits: JournalLimits
  readonly #ended: EndedSegments
  /** Names that it has given to segments. */
  readonly #own = new Set<string>()
  readonly #queue: Waiting[] = []
  /** Ends of what is recorded and not yet in the index. */
  readonly #pins = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #index: HoldIndex | undefined
  #segment: Promise<SegmentWriter> | undefined
  #working: Promise<void> | undefined
  #merging: Promise<void> | undefined
  /** Length at which the segment that it writes is ended. */
  #fullAt = 0
  /** Of the last snapshot that it wrote. */
  #snapshotBytes: number | undefined
  /** No snapshot is written below this: the last could not be. */
  #notBelowBytes = 0
  #serial = 0
  #lastMs = 0

  private constructor(options: DiskHoldJournalOptions, ended: EndedSegments) {
    this.#options = options
    this.#limits = options.limits ?? journalLimits
    this.#ended = ended
  }

  /** Finds what processes left that have ended. Throws E_IO. */
  static async open(options: DiskHoldJournalOptions): Promise<DiskHoldJournal> {
    return new DiskHoldJournal(options, await EndedSegments.find(options))
  }

  /** Whether an index on disk may be believed: no power cut can have come over it. */
  get isIndexSound(): boolean {
    return this.#ended.isIndexSound
  }

  async begin(): Promise<void> {
    await this.#writer()
  }

  append(records: readonly HoldRecord[], { durable }: { durable: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, durable, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  /** Whoever changes an index has begun a segment before. */
  async isAlone(): Promise<boolean> {
    const { disk, directory, writers } = this.#options
    const names = (await ifPresent(disk.readDirectory(directory))) ?? []
    return names.every((name) => {
      const writer = writerOf(name)
      return writer === undefined || writer === writers.own || this.#ended.hasFound(name)
    })
  }

  pin(): () => void {
    let end = (): void => {}
    const pin = new Promise<void>((resolve) => (end = resolve))
    this.#pins.add(pin)
    return () => {
      this.#pins.delete(pin)
      end()
    }
  }

  async replay(index: HoldIndex): Promise<void> {
    await this.#ended.removeUnfinished()
    const behind = this.#ended.behind(index)
    if (behind.length > 0) {
      await this.begin()
      await this.#ended.carryOut(behind, index)
    }
    this.#index = index
    if (this.#ended.countBelow(this.#limits.segmentBytes) <= maxSmallSegments) return
    await this.begin()
    this.#merging = this.#merge(index)
    await this.#merging
  }

  async close(index: HoldIndex): Promise<void> {
    await this.#working
    this.#closing.abort()
    await this.#merging
    const segment = await this.#segment?.catch(() => undefined)
    if (segment === undefined) return index.close()
    await index.change((writer) => writer.setMark(segment.name, segment.end))
    await index.close()
    await segment.write([{ kind: 'closed', atMs: this.#lastMs }])
    await segment.sync()
    await segment.close()
    this.#segment = undefined
  }

  /** What has come together is written at once, and synced at once. */
  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0)
      let segment: SegmentWriter | undefined
      try {
        segment = await this.#roomyWriter()
        const records = batch.flatMap(({ records }) => records.map((one) => this.#dated(one)))
        if (records.length > 0) await segment.write(records)
        if (!segment.isSynced && batch.some(({ durable }) => durable)) await segment.sync()
        for (const { resolve } of batch) resolve()
      } catch (error) {
        // what it wrote last may be torn: the next ones go into another
        if (segment !== undefined) {
          this.#segment = undefined
          await this.#leave(segment, false)
        }
        for (const { reject } of batch) reject(error)
      }
    }
    this.#working = undefined
  }

  /** Times in a segment never go back, whatever the clock does. */
  #dated(record: HoldRecord): HoldRecord {
    this.#lastMs = Math.max(this.#lastMs, record.atMs)
    return { ...record, atMs: this.#lastMs }
  }

  #writer(): Promise<SegmentWriter> {
    if (this.#segment === undefined) {
      this.#segment = this.#create()
      this.#segment.catch(() => (this.#segment = undefined))
    }
    return this.#segment
  }

  async #create(): Promise<SegmentWriter> {
    const { disk, directory } = this.#options
    const name = this.#newName()
    await onDisk('write', disk.makeDirectory(directory))
    await onDisk('sync', disk.syncDirectory(path.dirname(directory)))
    const segment = await SegmentWriter.create(disk, directory, name)
    this.#fullAt = this.#limits.segmentBytes
    return segment
  }

  #newName(): string {
    const { clock, writers } = this.#options
    const name = segmentName(clock.nowMs(), writers.own, this.#serial++)
    this.#own.add(name)
    return name
  }

  /** Its segment, or the next one where that is full. */
  async #roomyWriter(): Promise<SegmentWriter> {
    const segment = await this.#writer()
    if (segment.end < this.#fullAt) return segment
    let next: SegmentWriter
    try {
      next = await this.#create()
    } catch {
      // there is no harm in one that is longer
      this.#fullAt = segment.end + this.#limits.segmentBytes
      return segment
    }
    this.#segment = Promise.resolve(next)
    await this.#end(segment)
    const index = this.#index
    if (index !== undefined && this.#mayMerge(index)) this.#merging ??= this.#merge(index)
    return next
  }

  /**
   * Ends a segment in order once the next one is durable, so that a power cut is still known by one that is
   * not closed. Throws E_FULL, E_IO where what it wrote last may not survive one.
   */
  async #end(segment: SegmentWriter): Promise<void> {
    let isClosed = false
    try {
      await segment.write([{ kind: 'closed', atMs: this.#lastMs }])
      await segment.sync()
      isClosed = true
    } finally {
      await this.#leave(segment, isClosed)
    }
  }

  async #leave(segment: SegmentWriter, isClosed: boolean): Promise<void> {
    const { name, end } = segment
    this.#ended.add({ name, bytes: end, isClosed, lastMs: isClosed ? this.#lastMs : 0 })
    await segment.close().catch(() => {})
  }

  /** Whether so much has ended that to say it anew takes less than half, so that each record costs little. */
  #mayMerge(index: HoldIndex): boolean {
    const { bytes } = this.#ended
    if (bytes <= Math.max(this.#limits.endedBytes, this.#notBelowBytes)) return false
    try {
      return bytes > 2 * (this.#snapshotBytes ?? likelyBytes(index))
    } catch {
      // an index that fails says so to who needs it
      return false
    }
  }

  /** Puts what has ended into one, while its own segment is empty, or it is written on. Never rejects. */
  async #merge(index: HoldIndex): Promise<void> {
    const { trace = noTrace } = this.#options
    const { signal } = this.#closing
    const beforeBytes = this.#ended.bytes
    try {
      const bytes = await this.#ended.putIntoOne({
        ...{ index, name: this.#newName(), atMs: this.#betweenMs(), signal },
        isOwn: (name) => this.#own.has(name),
        settled: Promise.all(this.#pins),
      })
      if (bytes !== undefined) trace.event('storage.journal-merged', { beforeBytes, bytes })
      this.#snapshotBytes = bytes ?? this.#snapshotBytes
    } catch (error) {
      // nothing is lost by it: it is tried again once there is much more
      this.#notBelowBytes = beforeBytes + this.#limits.endedBytes
      if (!signal.aborted) trace.event('storage.journal-not-merged', { error: String(error) })
    }
    this.#merging = undefined
  }

  /** A time after all that has been written, and before all that will be, as far as the clock allows. */
  #betweenMs(): number {
    const nowMs = Math.floor(this.#options.clock.nowMs())
    const afterAll = Math.max(this.#lastMs, this.#ended.foundMs) + 1
    const atMs = Math.min(afterAll, Math.max(this.#lastMs + 1, nowMs))
    this.#lastMs = atMs + 1
    return atMs
  }
}
