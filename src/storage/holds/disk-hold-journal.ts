/**
 * A journal of holds in a directory: each process that writes adds a segment of its own, so that no two
 * ever write one file, and whoever finds segments of processes that have ended carries them out.
 */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { mapWithin } from '../../base/limit.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'
import type { Writers } from '../disk-store.ts'
import { applyRecord } from './apply-record.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldJournal } from './hold-journal.ts'
import { closedBytes, type HoldRecord } from './hold-record.ts'
import {
  type EndedSegment,
  endedSegment,
  recordsOf,
  SegmentWriter,
  segmentName,
  writerOf,
} from './journal-segment.ts'
import { snapshotOf } from './journal-snapshot.ts'

/** Segments that are left lying; more are put into one. */
const maxEndedSegments = 16
/** Records carried out in one change of the index. */
const replayBatch = 256
const filesConcurrency = 8

export interface DiskHoldJournalOptions {
  disk: Disk
  /** Where its segments lie; made if it is not there. */
  directory: string
  clock: Clock
  writers: Writers
}

interface Waiting {
  records: readonly HoldRecord[]
  durable: boolean
  resolve: () => void
  reject: (error: unknown) => void
}

export class DiskHoldJournal implements HoldJournal {
  readonly #options: DiskHoldJournalOptions
  readonly #ended: EndedSegment[]
  /** Names of those that there were at first. */
  readonly #found: ReadonlySet<string>
  /** Whether an index on disk may be believed: no power cut can have come over it. */
  readonly isIndexSound: boolean
  readonly #queue: Waiting[] = []
  #segment: Promise<SegmentWriter> | undefined
  #working: Promise<void> | undefined
  #serial = 0
  #lastMs = 0

  private constructor(
    options: DiskHoldJournalOptions,
    ended: EndedSegment[],
    isIndexSound: boolean,
  ) {
    this.#options = options
    this.#ended = ended
    this.#found = new Set(ended.map(({ name }) => name))
    this.isIndexSound = isIndexSound
  }

  /** Finds what processes left that have ended. Throws E_IO. */
  static async open(options: DiskHoldJournalOptions): Promise<DiskHoldJournal> {
    const { disk, directory, writers } = options
    const names = (await ifPresent(disk.readDirectory(directory))) ?? []
    const segments = names.filter((name) => writerOf(name) !== undefined).sort()
    const isRunning = (name: string): boolean => {
      const writer = writerOf(name)!
      return writer !== writers.own && writers.isRunning(writer)
    }
    const left = segments.filter((name) => !isRunning(name))
    const ended = (
      await mapWithin(filesConcurrency, left, (name) => endedSegment(disk, directory, name))
    ).filter((segment) => segment !== undefined)
    const inOrder = ended.every(({ isClosed }) => isClosed)
    return new DiskHoldJournal(options, ended, inOrder || left.length < segments.length)
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
      return writer === undefined || writer === writers.own || this.#found.has(name)
    })
  }

  async replay(index: HoldIndex): Promise<void> {
    const behind = this.#ended.filter((segment) => !isCarriedOut(segment, index))
    if (behind.length > 0) {
      await this.begin()
      await this.#carryOut(behind, index)
    }
    if (this.#ended.length > maxEndedSegments) await this.#compact(index)
  }

  async close(index: HoldIndex): Promise<void> {
    await this.#working
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
        segment = await this.#writer()
        const records = batch.flatMap(({ records }) => records.map((one) => this.#dated(one)))
        if (records.length > 0) await segment.write(records)
        if (!segment.isSynced && batch.some(({ durable }) => durable)) await segment.sync()
        for (const { resolve } of batch) resolve()
      } catch (error) {
        // what it wrote last may be torn: the next ones go into another
        this.#segment = undefined
        await segment?.close().catch(() => {})
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
    this.#segment ??= this.#create()
    return this.#segment
  }

  async #create(): Promise<SegmentWriter> {
    const { disk, directory, clock, writers } = this.#options
    const name = segmentName(clock.nowMs(), writers.own, this.#serial++)
    try {
      await onDisk('write', disk.makeDirectory(directory))
      await onDisk('sync', disk.syncDirectory(path.dirname(directory)))
      return await SegmentWriter.create(disk, directory, name)
    } catch (error) {
      this.#segment = undefined
      throw error
    }
  }

  /** Carries out, in the order of time, what several segments say. */
  async #carryOut(segments: readonly EndedSegment[], index: HoldIndex): Promise<void> {
    const { disk, directory } = this.#options
    const marks = index.marks()
    const sources = segments.map(({ name }) => ({
      name,
      records: recordsOf(disk, directory, name, marks.get(name) ?? 0),
    }))
    let batch: { name: string; record: HoldRecord; end: number }[] = []
    const flush = async (): Promise<void> => {
      const steps = batch
      batch = []
      await index.change((writer) => {
        for (const { name, record, end } of steps) {
          applyRecord(writer, record)
          writer.setMark(name, end)
        }
      })
    }
    for await (const step of merged(sources)) {
      if (batch.push(step) >= replayBatch) await flush()
    }
    await flush()
  }

  /** Puts all that the index says into one new segment, and takes the old ones away. */
  async #compact(index: HoldIndex): Promise<void> {
    const { disk, directory, clock, writers } = this.#options
    await this.begin()
    const name = segmentName(clock.nowMs(), writers.own, this.#serial++)
    const segment = await SegmentWriter.create(disk, directory, name)
    for (const records of snapshotOf(index, this.#lastMs)) await segment.write(records)
    await segment.write([{ kind: 'closed', atMs: this.#lastMs }])
    await segment.sync()
    await segment.close()
    const old = this.#ended.splice(0)
    await index.change((writer) => {
      writer.setMark(name, segment.end)
      for (const each of old) writer.setMark(each.name, undefined)
    })
    for (const each of old) await ifPresent(disk.unlink(path.join(directory, each.name)), 'write')
    await onDisk('sync', disk.syncDirectory(directory))
    this.#ended.push({ name, bytes: segment.end, isClosed: true })
  }
}

function isCarriedOut({ name, bytes, isClosed }: EndedSegment, index: HoldIndex): boolean {
  const mark = index.marks().get(name) ?? 0
  return mark >= (isClosed ? bytes - closedBytes : bytes)
}

interface Source {
  name: string
  records: AsyncIterator<{ record: HoldRecord; end: number }>
}

/** The records of all sources, the earliest first; those of one source in its order. */
async function* merged(
  sources: readonly Source[],
): AsyncGenerator<{ name: string; record: HoldRecord; end: number }> {
  const heads: { source: Source; record: HoldRecord; end: number }[] = []
  const pull = async (source: Source): Promise<void> => {
    const next = await source.records.next()
    if (next.done !== true) heads.push({ source, ...next.value })
  }
  for (const source of sources) await pull(source)
  while (heads.length > 0) {
    let first = 0
    for (const [i, { record }] of heads.entries()) {
      if (record.atMs < heads[first].record.atMs) first = i
    }
    const [{ source, record, end }] = heads.splice(first, 1)
    yield { name: source.name, record, end }
    await pull(source)
  }
}
