/**
 * What a server looks up its holds in: a cache of what its journal and its shares say
 * (docs/specs/holds.md, "Index"). In memory or on disk, under one suite
 * (test/suites/hold-index.ts). Reads are answered at once; changes are carried out one after
 * another, each as a whole or not at all, by however many processes.
 */
import type { StorageIndex } from '../request.ts'
import type { HeldObject, Holder } from './held-object.ts'

export interface HolderTotals {
  /** Bytes charged for all that it holds, and for what it held and what is not yet gone. */
  chargedBytes: number
  /** Objects of those. */
  objectCount: number
  /** Of those, objects of which a share was found damaged. */
  damagedCount: number
}

export interface HoldReader {
  /** Undefined where nothing is known of it. */
  object(storageIndex: StorageIndex): HeldObject | undefined
  /** All zero for a holder that is not known. */
  totals(holder: Holder): HolderTotals
  /** Holders that hold anything, in no order. */
  holders(): Holder[]
  /** Whether every share of the store is known here. */
  readonly isComplete: boolean
  /** Number of the last release that this author had carried out; 0 for none. */
  lastRelease(account: Holder, author: Uint8Array): number
}

export interface HoldWriter extends HoldReader {
  /** Undefined forgets it. Totals follow. */
  setObject(storageIndex: StorageIndex, object: HeldObject | undefined): void
  setLastRelease(account: Holder, author: Uint8Array, releaseSeq: number): void
  /** Up to where a segment of the journal is carried out here; undefined for one that is no more. */
  setMark(segment: string, offset: number | undefined): void
  setComplete(isComplete: boolean): void
}

export interface ObjectPage {
  /** Ascending by storage index. */
  objects: { storageIndex: StorageIndex; object: HeldObject }[]
  /** Whether nothing comes after them. */
  complete: boolean
}

export interface HoldIndex extends HoldReader {
  /** Carries out `work`, which must not wait; resolves when all see it. What `work` throws undoes it. */
  change<T>(work: (writer: HoldWriter) => T): Promise<T>
  /** Objects after `after`; of `holder` alone if one is given. */
  page(options: { after: StorageIndex | undefined; limit: number; holder?: Holder }): ObjectPage
  /** Every author with a release, in no order. */
  releases(): { account: Holder; author: Uint8Array; releaseSeq: number }[]
  marks(): ReadonlyMap<string, number>
  /** Objects and holds that there are, and maybe some rows of other kinds: known at once, however many. */
  readonly rowCount: number
  /** All that was changed outlives the process, and a power cut. */
  close(): Promise<void>
}
