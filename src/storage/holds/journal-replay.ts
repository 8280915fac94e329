/** Ended segments of a journal of holds, read again: what they say is carried out in an index (docs/specs/holds.md, "Journal"). */
import type { Disk } from '../../base/disk.ts'
import { applyRecord } from './apply-record.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldRecord } from './hold-record.ts'
import { type EndedSegment, recordsOf } from './journal-segment.ts'

/** Records carried out in one change of the index, and rows of theirs: what is in memory at once. */
const batchRecords = 256
const batchRows = 8192

interface Step {
  name: string
  record: HoldRecord
  /** Where it ends in its segment. */
  end: number
}

/**
 * Carries out, in the order of time, what several segments say beyond the marks of the index, and marks
 * it. Gives the latest time in them, ms; 0 where they say nothing. Throws E_FULL, E_IO.
 */
export async function carryOut(
  { disk, directory }: { disk: Disk; directory: string },
  segments: readonly EndedSegment[],
  index: HoldIndex,
): Promise<number> {
  const marks = index.marks()
  const sources = segments.map(({ name }) => ({
    name,
    records: recordsOf(disk, directory, name, marks.get(name) ?? 0),
  }))
  let lastMs = 0
  let batch: Step[] = []
  let rows = 0
  const flush = async (): Promise<void> => {
    const steps = batch
    batch = []
    rows = 0
    await index.change((writer) => {
      for (const { name, record, end } of steps) {
        applyRecord(writer, record)
        writer.setMark(name, end)
      }
    })
  }
  for await (const step of merged(sources)) {
    lastMs = Math.max(lastMs, step.record.atMs)
    batch.push(step)
    rows += rowsOf(step.record)
    if (batch.length >= batchRecords || rows >= batchRows) await flush()
  }
  await flush()
  return lastMs
}

function rowsOf(record: HoldRecord): number {
  switch (record.kind) {
    case 'held':
      return record.holds.length
    case 'released':
    case 'gone':
      return record.storageIndexes.length
    case 'closed':
      return 0
  }
}

interface Source {
  name: string
  records: AsyncIterator<{ record: HoldRecord; end: number }>
}

/** The records of all sources, the earliest first; those of one source in its order. */
async function* merged(sources: readonly Source[]): AsyncGenerator<Step> {
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
