/** What became of objects, as sums: a run may store a million of them. */
import type { ObjectReport } from './object-report.ts'

export interface StoreTotals {
  /** Objects that are on enough servers, also those that were there before. */
  objects: number
  /** Bytes of shares sent, and bytes of shares that servers proved to have already. */
  sentBytes: number
  hadBytes: number
  /** Bytes of files in objects of which anything had to be sent. */
  newPlaintextBytes: number
  /** Shares on disk. */
  shares: number
  /** The least number of distinct servers that any object is on; 0 if there is none. */
  leastServers: number
}

export class StoreSums {
  readonly #totals: StoreTotals = {
    objects: 0,
    sentBytes: 0,
    hadBytes: 0,
    newPlaintextBytes: 0,
    shares: 0,
    leastServers: 0,
  }

  get totals(): StoreTotals {
    return { ...this.#totals }
  }

  /** @param plaintextBytes - of files, that the object holds */
  add({ holders, sentBytes, hadBytes }: ObjectReport, plaintextBytes: number): void {
    const totals = this.#totals
    totals.leastServers =
      totals.objects === 0 ? holders.size : Math.min(totals.leastServers, holders.size)
    totals.objects++
    totals.shares += holders.size
    totals.sentBytes += sentBytes
    totals.hadBytes += hadBytes
    if (sentBytes > 0) totals.newPlaintextBytes += plaintextBytes
  }
}
