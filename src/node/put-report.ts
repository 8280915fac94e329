/** What came of putting one file. */
import { lackText, type StoreTotals } from './objects/store-totals.ts'
import type { Redundancy } from './placement/placement.ts'

export interface PutReport {
  /** The capability: whoever holds this line can read the content. Secret. */
  cap: string
  sizeBytes: number
  redundancy: Redundancy | undefined
  objects: number
  /** The least number of distinct servers that any object of it is on; 0 when the cap holds all. */
  servers: number
  /** Shares on disk, and shares that were wanted. */
  sharesStored: number
  sharesWanted: number
  /** Bytes of shares sent, and bytes that servers proved to have already. */
  sentBytes: number
  hadBytes: number
  /** What the user should know, one line each. */
  notes: string[]
}

/** What to do where objects found fewer servers than they want. */
export function lackNotes({ lack }: StoreTotals): string[] {
  const note = lackText(lack, 'grid repair CAP')
  return note === undefined ? [] : [note]
}

/** `notes` is what the user should know besides. */
export function summaryOf(
  { objects, leastServers, shares, sentBytes, hadBytes }: StoreTotals,
  redundancy: Redundancy,
  notes: string[],
): Omit<PutReport, 'cap' | 'sizeBytes'> {
  const literal = objects === 0
  return {
    redundancy: literal ? undefined : redundancy,
    objects,
    servers: leastServers,
    sharesStored: shares,
    sharesWanted: objects * redundancy.n,
    sentBytes,
    hadBytes,
    notes: literal ? [] : notes,
  }
}
