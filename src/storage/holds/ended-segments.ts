/**
 * Segments of a journal of holds that nobody writes any more: those that there were at a start, and those
 * that this process has ended since. What they say is in the index, so that they can be put into one.
 */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { mapWithin } from '../../base/limit.ts'
import { ifPresent } from '../disk-failure.ts'
import type { Writers } from '../disk-store.ts'
import type { HoldIndex } from './hold-index.ts'
import { closedBytes } from './hold-record.ts'
import { type Compaction, removeSegments, writeSnapshot } from './journal-compaction.ts'
import { carryOut } from './journal-replay.ts'
import { type EndedSegment, endedSegment, unfinishedWriterOf, writerOf } from './journal-segment.ts'

const filesConcurrency = 8

export interface SegmentPlace {
  disk: Disk
  directory: string
  clock: Clock
  writers: Writers
}

/** What they are put into, and when. */
export interface Merge extends Omit<Compaction, 'old'> {
  index: HoldIndex
  /** Whether the process that asks has made the segment of this name. */
  isOwn: (name: string) => boolean
  /** Resolves when the index has all that was recorded in them. */
  settled: Promise<unknown>
}

export class EndedSegments {
  readonly #place: SegmentPlace
  #segments: EndedSegment[]
  /** Names of those that there were at first. */
  readonly #found: ReadonlySet<string>
  /** Whether an index on disk may be believed: no power cut can have come over it. */
  readonly isIndexSound: boolean
  /** Latest time in those found, ms, as far as they have been read. */
  foundMs: number

  private constructor(place: SegmentPlace, found: EndedSegment[], isIndexSound: boolean) {
    this.#place = place
    this.#segments = found
    this.#found = new Set(found.map(({ name }) => name))
    this.foundMs = Math.max(0, ...found.map(({ lastMs }) => lastMs))
    this.isIndexSound = isIndexSound
  }

  /** Throws E_IO. */
  static async find(place: SegmentPlace): Promise<EndedSegments> {
    const { disk, directory, writers } = place
    const names = (await namesIn(place)).filter((name) => writerOf(name) !== undefined).sort()
    const left = names.filter((name) => !isOthers(writers, writerOf(name)!))
    const ended = (
      await mapWithin(filesConcurrency, left, (name) => endedSegment(disk, directory, name))
    ).filter((segment) => segment !== undefined)
    const inOrder = ended.every(({ isClosed }) => isClosed)
    return new EndedSegments(place, ended, inOrder || left.length < names.length)
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** How many are shorter. */
  countBelow(segmentBytes: number): number {
    return this.#segments.filter(({ bytes }) => bytes < segmentBytes).length
  }

  add(segment: EndedSegment): void {
    this.#segments.push(segment)
  }

  /** Whether this name was there at first, and nobody wrote it. */
  hasFound(name: string): boolean {
    return this.#found.has(name)
  }

  /** Those that say what the index has not yet. */
  behind(index: HoldIndex): EndedSegment[] {
    const marks = index.marks()
    return this.#segments.filter((segment) => !isCarriedOut(segment, marks))
  }

  /** Throws E_FULL, E_IO. */
  async carryOut(segments: readonly EndedSegment[], index: HoldIndex): Promise<void> {
    this.foundMs = Math.max(this.foundMs, await carryOut(this.#place, segments, index))
  }

  /**
   * Puts those that there are at the call into one, and gives its bytes; undefined where another process
   * writes, or has left something that could be about what they say: then it leaves all as it is.
   * Throws E_FULL, E_IO, the signal's reason: some may be gone then, and what is left says the same.
   */
  async putIntoOne({ index, isOwn, settled, ...merge }: Merge): Promise<number | undefined> {
    const { signal, atMs } = merge
    const old = [...this.#segments]
    const others = await this.#othersBefore(atMs, index, isOwn)
    if (others === undefined) return undefined
    this.#segments.push(...others)
    old.push(...others)
    await unlessAborted(settled, signal)
    const parts = { ...this.#place, index }
    const one = await writeSnapshot(parts, { ...merge, old })
    this.#segments.push(one)
    await removeSegments(parts, old, (gone) => {
      this.#segments = this.#segments.filter((segment) => segment !== gone)
    })
    return one.bytes
  }

  /** Takes away what a process left that died while it put segments into one. */
  async removeUnfinished(): Promise<void> {
    const { disk, directory, writers } = this.#place
    for (const name of await namesIn(this.#place)) {
      const writer = unfinishedWriterOf(name)
      if (writer === undefined || isOthers(writers, writer)) continue
      // where it cannot be, it does no harm
      await disk.unlink(path.join(directory, name)).catch(() => {})
    }
  }

  /**
   * Segments of processes that have begun since the start of this one and ended in order before `atMs`.
   * Undefined if there are any but those: what they say may be about what would be put away.
   */
  async #othersBefore(
    atMs: number,
    index: HoldIndex,
    isOwn: (name: string) => boolean,
  ): Promise<EndedSegment[] | undefined> {
    const { disk, directory, writers } = this.#place
    const known = new Set(this.#segments.map(({ name }) => name))
    const marks = index.marks()
    const others: EndedSegment[] = []
    for (const name of await namesIn(this.#place)) {
      const writer = writerOf(name)
      if (writer === undefined || known.has(name) || isOwn(name)) continue
      if (writer === writers.own || writers.isRunning(writer)) return undefined
      const segment = await endedSegment(disk, directory, name)
      if (segment === undefined) continue
      const isBefore = segment.isClosed && segment.lastMs < atMs && isCarriedOut(segment, marks)
      if (!isBefore) return undefined
      others.push(segment)
    }
    return others
  }
}

async function namesIn({ disk, directory }: SegmentPlace): Promise<string[]> {
  return (await ifPresent(disk.readDirectory(directory))) ?? []
}

/** Whether another process that runs is called so. */
function isOthers(writers: Writers, writer: string): boolean {
  return writer !== writers.own && writers.isRunning(writer)
}

function isCarriedOut(
  { name, bytes, isClosed }: EndedSegment,
  marks: ReadonlyMap<string, number>,
): boolean {
  const mark = marks.get(name) ?? 0
  return mark >= (isClosed ? bytes - closedBytes : bytes)
}

/** As `work`, but rejects with the signal's reason once that aborts. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error)
  })
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
