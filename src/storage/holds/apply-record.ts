/** What records of the journal make of an index: the same, whether as they are written or when they are read again. */
import type { StorageIndex } from '../request.ts'
import { type Hold, holdOf, unheld, withChanged, withHold } from './held-object.ts'
import type { HoldWriter } from './hold-index.ts'
import type { HoldRecord } from './hold-record.ts'

/** How many holds a release ended or took back, and how many it left since they were touched since. */
export interface Applied {
  changed: number
  kept: number
}

type Released = Extract<HoldRecord, { kind: 'released' }>

export function applyRecord(writer: HoldWriter, record: HoldRecord): Applied {
  const applied = { changed: 0, kept: 0 }
  switch (record.kind) {
    case 'held':
      for (const { storageIndex, chargedBytes, ...touch } of record.holds) {
        const known = writer.object(storageIndex) ?? { ...unheld, chargedBytes }
        const { holder, payer } = record
        writer.setObject(storageIndex, withHold(known, { holder, payer, ...touch }))
      }
      break
    case 'released':
      for (const storageIndex of record.storageIndexes) {
        applyRelease(writer, storageIndex, record, applied)
      }
      if (record.releaseSeq > writer.lastRelease(record.account, record.author)) {
        writer.setLastRelease(record.account, record.author, record.releaseSeq)
      }
      break
    case 'gone':
      for (const storageIndex of record.storageIndexes) {
        const known = writer.object(storageIndex)
        const holds = known?.holds.filter(({ touchedMs }) => touchedMs >= record.atMs) ?? []
        writer.setObject(storageIndex, holds.length === 0 ? undefined : { ...known!, holds })
      }
      break
    case 'closed':
  }
  return applied
}

/** What a release makes of a hold of its account; 'kept' where that was touched at the cutoff or since. */
export function afterRelease(hold: Hold, { atMs, cutoffMs }: Released): Hold | 'kept' {
  if (cutoffMs === 0) return { ...hold, releasedMs: 0, cutoffMs: 0 }
  if (hold.touchedMs >= cutoffMs) return 'kept'
  if (hold.releasedMs === 0) return { ...hold, releasedMs: atMs, cutoffMs }
  return { ...hold, cutoffMs: Math.max(hold.cutoffMs, cutoffMs) }
}

function applyRelease(
  writer: HoldWriter,
  storageIndex: StorageIndex,
  record: Released,
  applied: Applied,
): void {
  const object = writer.object(storageIndex)
  const hold = object && holdOf(object, record.account)
  if (object === undefined || hold === undefined) return
  const made = afterRelease(hold, record)
  if (made === 'kept') {
    applied.kept++
    return
  }
  if (made.releasedMs > 0 !== hold.releasedMs > 0) applied.changed++
  if (made.releasedMs === hold.releasedMs && made.cutoffMs === hold.cutoffMs) return
  writer.setObject(storageIndex, withChanged(object, made))
}
