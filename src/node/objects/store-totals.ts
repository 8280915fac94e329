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
  lack: StoreLack
}

/** What was stored on enough servers, and on fewer than it should be. */
export interface StoreLack {
  objects: number
  /** Shares of theirs that found no server. */
  shares: number
}

export const noLack: StoreLack = { objects: 0, shares: 0 }

export function sumOfLacks(one: StoreLack, other: StoreLack): StoreLack {
  return { objects: one.objects + other.objects, shares: one.shares + other.shares }
}

/** To people: worth a repair at once, not when a check finds it. Undefined where nothing lacks. */
export function lackText({ objects, shares }: StoreLack, repair: string): string | undefined {
  if (shares === 0) return undefined
  return `${shares} shares of ${objects} objects found no server: enough are stored, and fewer than there should be; once more servers answer, run: ${repair}`
}

export class StoreSums {
  readonly #totals: StoreTotals = {
    objects: 0,
    sentBytes: 0,
    hadBytes: 0,
    newPlaintextBytes: 0,
    shares: 0,
    leastServers: 0,
    lack: noLack,
  }
  readonly #wanted: number

  /** @param wanted - servers that each object should be on */
  constructor(wanted: number) {
    this.#wanted = wanted
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
    const shares = Math.max(0, this.#wanted - holders.size)
    if (shares > 0) totals.lack = sumOfLacks(totals.lack, { objects: 1, shares })
    totals.sentBytes += sentBytes
    totals.hadBytes += hadBytes
    if (sentBytes > 0) totals.newPlaintextBytes += plaintextBytes
  }
}
