/** Index and journal of a server's holds as one: brought up to each other, and changed together. */
import { type Clock, sleep } from '../../base/clock.ts'
import { mapWithin } from '../../base/limit.ts'
import type { Trace } from '../../base/trace.ts'
import type { Medium } from '../medium.ts'
import type { StorageIndex } from '../request.ts'
import type { ShareStore } from '../share-store.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldJournal } from './hold-journal.ts'
import type { HoldRecord } from './hold-record.ts'

export interface LedgerParts {
  index: HoldIndex
  journal: HoldJournal
  store: ShareStore
  medium: Medium
  clock: Clock
  trace: Trace
}

const lookConcurrency = 8

export class HoldLedger {
  readonly index: HoldIndex
  readonly #parts: LedgerParts
  #lastMs = 0

  private constructor(parts: LedgerParts) {
    this.#parts = parts
    this.index = parts.index
  }

  /** Brings the index up to the journal. Throws E_FULL, E_IO. */
  static async open(parts: LedgerParts): Promise<HoldLedger> {
    await parts.journal.replay(parts.index)
    return new HoldLedger(parts)
  }

  /** The server's clock in ms, which for holds never goes back while it runs, and is never 0. */
  now(): number {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(this.#parts.clock.nowMs()), 1)
    return this.#lastMs
  }

  /** Makes ready for a change that must become durable. Throws E_READ_ONLY, E_FULL, E_IO. */
  async begin(): Promise<void> {
    const { medium, journal } = this.#parts
    medium.checkWritable()
    await medium.watch(journal.begin())
  }

  /** Resolves when the records would survive a power cut. Throws E_FULL, E_IO. */
  async write(records: readonly HoldRecord[]): Promise<void> {
    const { medium, journal } = this.#parts
    if (records.length > 0) await medium.watch(journal.append(records, { durable: true }))
  }

  /** Writes records that may be lost: what they are of is kept without them. Never rejects. */
  async writeSoon(records: readonly HoldRecord[]): Promise<void> {
    const { medium, journal } = this.#parts
    await medium
      .watch(journal.append(records, { durable: false }))
      .catch((error: unknown) => this.lost(error))
  }

  /** Says that a hold could not be recorded. */
  lost(error: unknown): void {
    this.#parts.trace.event('storage.hold-lost', { error: String(error) })
  }

  /** Whether shares are here of each object: by the index, and by the store while that may not know all. */
  async present(indexes: readonly StorageIndex[]): Promise<boolean[]> {
    return mapWithin(lookConcurrency, indexes, async (storageIndex) => {
      if ((this.index.object(storageIndex)?.shares.length ?? 0) > 0) return true
      return !this.index.isComplete && (await this.#parts.store.list(storageIndex)).length > 0
    })
  }

  /** Lets others have their turn. */
  async pause(): Promise<void> {
    await sleep(this.#parts.clock, 0)
  }

  /** Ends both in order. */
  async close(): Promise<void> {
    await this.#parts.journal.close(this.index)
  }
}
