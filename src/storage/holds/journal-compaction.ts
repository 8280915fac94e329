/**
 * Puts ended segments of a journal of holds into one (docs/specs/holds.md, "Journal"): all that the index
 * says is written beside serving, shown as a whole, and only then are they taken away. Whenever that
 * is cut short, what is left says the same.
 */
import path from 'node:path'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'
import type { HoldIndex } from './hold-index.ts'
import { type EndedSegment, SegmentWriter, unfinishedName } from './journal-segment.ts'
import { likelyBytes, snapshotOf } from './journal-snapshot.ts'

export interface CompactionParts {
  disk: Disk
  directory: string
  clock: Clock
  index: HoldIndex
}

export interface Compaction {
  /** Of the new segment. */
  name: string
  /** After all that the old ones say, and before all that is written from now on; ms. */
  atMs: number
  /** All that the index knows of that is not written from now on: its own and those of ended processes. */
  old: readonly EndedSegment[]
  signal: AbortSignal
}

/**
 * Writes the new segment; once it resolves, it is there as a whole, and the index knows that it has all that
 * is in it and in the old ones. Takes its own back and throws E_FULL, E_IO, the signal's reason.
 */
export async function writeSnapshot(
  { disk, directory, clock, index }: CompactionParts,
  { name, atMs, old, signal }: Compaction,
): Promise<EndedSegment> {
  const unfinished = path.join(directory, unfinishedName(name))
  const { freeBytes } = await onDisk('read', disk.space(directory))
  // what is left is for holds that are not recorded yet
  if (freeBytes < 2 * likelyBytes(index)) {
    throw new GridError('E_FULL', 'too little space left to put segments into one')
  }
  let segment: SegmentWriter | undefined
  try {
    segment = await SegmentWriter.create(disk, directory, name, unfinishedName(name))
    const pause = (): Promise<void> => sleep(clock, 0, { signal })
    for await (const records of snapshotOf(index, { atMs, pause })) {
      for (const record of records) {
        signal.throwIfAborted()
        await segment.write([record])
      }
    }
    await segment.write([{ kind: 'closed', atMs }])
    await segment.sync()
    const { end } = segment
    await closed(segment)
    segment = undefined
    await index.change((writer) => {
      for (const { name, bytes } of old) writer.setMark(name, bytes)
      writer.setMark(name, end)
    })
    await onDisk('write', disk.rename(unfinished, path.join(directory, name)))
    return { name, bytes: end, isClosed: true, lastMs: atMs }
  } catch (error) {
    if (segment !== undefined) await closed(segment)
    await disk.unlink(unfinished).catch(() => {})
    throw error
  }
}

/** What is synced stays, however it is closed; nothing is closed twice. */
async function closed(segment: SegmentWriter): Promise<void> {
  await segment.close().catch(() => {})
}

/**
 * Takes the old ones away once the new one would survive a power cut; `gone` is told of each that is.
 * Throws E_IO; what is left then is for the next time.
 */
export async function removeSegments(
  { disk, directory, index }: CompactionParts,
  old: readonly EndedSegment[],
  gone: (segment: EndedSegment) => void,
): Promise<void> {
  await onDisk('sync', disk.syncDirectory(directory))
  for (const segment of old) {
    await ifPresent(disk.unlink(path.join(directory, segment.name)), 'write')
    gone(segment)
  }
  await onDisk('sync', disk.syncDirectory(directory))
  await index.change((writer) => {
    for (const { name } of old) writer.setMark(name, undefined)
  })
}
