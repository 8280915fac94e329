/** Index and journal of a server's holds as one: brought up to each other, and changed together. */
import { type Clock, sleep } from '../../base/clock.ts'
import { mapWithin } from '../../base/limit.ts'
import type { Trace } from '../../base/trace.ts'
import type { Medium } from '../medium.ts'
import type { StorageIndex } from '../request.ts'
import type { ShareStore } from '../share-store.ts'
import type { SpaceReserve } from '../space-reserve.ts'
import { unheld } from './held-object.ts'
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
  /** What is left of the disk. */
  space: Pick<SpaceReserve, 'isHalfLeft'>
}

const lookConcurrency = 8
/** Records that need not be durable at once are so after this long. */
const syncAfterMs = 1000
/** Records that could not be written and are kept to be written with the next; of more the rest is lost. */
const maxUnwritten = 4096

export class HoldLedger {
  readonly index: HoldIndex
  readonly #parts: LedgerParts
  #lastMs = 0
  #trustedMs: number
  /** Ends the wait for the sync of what was written; undefined where nothing waits. */
  #endSync: (() => void) | undefined
  #isClosing = false
  /** Of puts: what nobody was told is durable, and is in the index. */
  readonly #unwritten: HoldRecord[] = []

  private constructor(parts: LedgerParts) {
    this.#parts = parts
    this.index = parts.index
    this.#trustedMs = this.now()
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

  /** What the index says was touched after it is in the journal, or under way there; ms by `now`. */
  get trustedMs(): number {
    return this.#trustedMs
  }

  /** What was touched before now may not stand as the index says it does. */
  doubt(): void {
    this.#trustedMs = this.now()
  }

  /**
   * Makes durable what was under way before; says whether that is all that the index was told since
   * `trustedMs`. Throws E_FULL, E_IO.
   */
  async settle(trustedMs: number): Promise<boolean> {
    await this.#append([], { durable: true })
    return trustedMs === this.#trustedMs && (await this.#parts.journal.isAlone())
  }

  /** Whether there is room for records of holds. Throws E_IO. */
  hasRoom(): Promise<boolean> {
    return this.#parts.space.isHalfLeft()
  }

  /** Makes ready for a change that must become durable. Throws E_READ_ONLY, E_FULL, E_IO. */
  async begin(): Promise<void> {
    const { medium, journal } = this.#parts
    medium.checkWritable()
    await medium.watch(journal.begin())
  }

  /** Resolves when the records would survive a power cut. Throws E_FULL, E_IO. */
  async write(records: readonly HoldRecord[]): Promise<void> {
    if (records.length > 0) await this.#append(records, { durable: true })
  }

  /**
   * As `write`, and then has `change` carry them out in the index: what an index is told only after the
   * journal is not put away before. Throws what `change` does too.
   */
  async writeThen<T>(records: readonly HoldRecord[], change: () => Promise<T>): Promise<T> {
    const unpin = this.#parts.journal.pin()
    try {
      await this.write(records)
      return await change()
    } finally {
      unpin()
    }
  }

  /**
   * Writes records that may be lost: what they are of is kept without them. They are durable a second
   * later, if all goes well. Never rejects.
   */
  async writeSoon(records: readonly HoldRecord[]): Promise<void> {
    try {
      await this.#append(records, { durable: false })
    } catch (error) {
      this.#unwritten.push(...records.slice(0, Math.max(0, maxUnwritten - this.#unwritten.length)))
      this.lost(error)
      return
    }
    if (this.#isClosing) return
    this.#endSync ??= this.#parts.clock.after(syncAfterMs, () => {
      this.#endSync = undefined
      void this.#append([], { durable: true }).catch((error: unknown) => this.lost(error))
    })
  }

  /** Says that a hold could not be recorded. */
  lost(error: unknown): void {
    this.#parts.trace.event('storage.hold-lost', { error: String(error) })
  }

  /** Whether shares are here of each object: by the index, and by the store while that may not know all of it. */
  async present(indexes: readonly StorageIndex[]): Promise<boolean[]> {
    return mapWithin(lookConcurrency, indexes, async (storageIndex) => {
      const { shares, leavingMs } = this.index.object(storageIndex) ?? unheld
      if (shares.length > 0 && leavingMs === 0) return true
      if (leavingMs === 0 && this.index.isComplete) return false
      return (await this.#parts.store.list(storageIndex)).length > 0
    })
  }

  /** Lets others have their turn. */
  async pause(): Promise<void> {
    await sleep(this.#parts.clock, 0)
  }

  /** Ends both in order. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#endSync?.()
    await this.#parts.journal.close(this.index)
  }

  /** What could not be added is in the index all the same, and perhaps what was added before it too. */
  async #append(records: readonly HoldRecord[], options: { durable: boolean }): Promise<void> {
    const { medium, journal } = this.#parts
    // once others hold the same, what could not be written at its time must not be missing
    const before = this.#unwritten.splice(0)
    try {
      await medium.watch(journal.append([...before, ...records], options))
    } catch (error) {
      this.#unwritten.unshift(...before)
      this.doubt()
      throw error
    }
  }
}
