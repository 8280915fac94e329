/**
 * Deletes what nobody has held for the time of quarantine (docs/specs/holds.md, "Deletion"): the only
 * thing that ever deletes a share. It would rather do nothing: while the index may not know all, until
 * the clock has gone as it should for the time of quarantine, and when much would go at once without the
 * operator's consent.
 */
import type { Trace } from '../../base/trace.ts'
import { toBase32 } from '../../base/base32.ts'
import type { StorageIndex } from '../request.ts'
import type { ShareStore } from '../share-store.ts'
import { type HeldObject, isLeaving, withoutEnded } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import type { ClockWatch, SweepMemory } from './sweep-memory.ts'

export interface SweeperParts {
  ledger: HoldLedger
  store: ShareStore
  trace: Trace
  clockWatch: ClockWatch
  memory: SweepMemory
  quarantineMs: number
}

export interface SweepOptions {
  /** The operator's, that however much is due may go. */
  consent?: boolean
  signal?: AbortSignal
}

export interface SweepReport {
  /** Shares that were deleted. */
  deletedShares: number
  deletedBytes: number
  /** Shares that are due. */
  dueShares: number
  /**
   * Why nothing was deleted, if so: the index does not know all yet; the clock jumped, and has not gone
   * steadily for the time of quarantine since; so much is due that the operator must consent.
   */
  refusal: 'index' | 'clock' | 'consent' | undefined
}

const pageObjects = 1024
/** Of all shares, how many may go in one run without consent, and how many in any case. */
const freeShare = 1 / 20
const freeShares = 100

export class Sweeper {
  readonly #parts: SweeperParts

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  /**
   * What is due is so by the clock as it is now, not by the ledger's, which never goes back: one that
   * was wrong for an hour must not have ended every quarantine. Throws E_READ_ONLY, E_FULL, E_IO, the
   * signal's reason.
   */
  async sweep({ consent = false, signal }: SweepOptions = {}): Promise<SweepReport> {
    const { ledger, clockWatch, memory, quarantineMs } = this.#parts
    const report: SweepReport = {
      ...{ deletedShares: 0, deletedBytes: 0, dueShares: 0, refusal: undefined },
    }
    const { wallMs, steadyMs } = await clockWatch.look()
    if (!ledger.index.isComplete) return { ...report, refusal: 'index' }
    const { due, shareCount } = await this.#look(wallMs, signal)
    report.dueShares = due.reduce((sum, { shares }) => sum + shares.length, 0)
    if (report.dueShares === 0) return report
    if (steadyMs < quarantineMs) return { ...report, refusal: 'clock' }
    const free = Math.max(freeShares, Math.floor(shareCount * freeShare))
    const mayDelete = consent || (await memory.hasConsent())
    if (report.dueShares > free && !mayDelete) return { ...report, refusal: 'consent' }
    for (const { storageIndex } of due) {
      signal?.throwIfAborted()
      const { shares, bytes } = await this.#delete(storageIndex, wallMs)
      report.deletedShares += shares
      report.deletedBytes += bytes
    }
    if (report.dueShares > free) await memory.useConsent()
    return report
  }

  /** Lets go of holds that ended, and finds objects that nobody holds any more. */
  async #look(
    nowMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ due: { storageIndex: StorageIndex; shares: Uint8Array }[]; shareCount: number }> {
    const { ledger, quarantineMs } = this.#parts
    const due: { storageIndex: StorageIndex; shares: Uint8Array }[] = []
    let shareCount = 0
    let after: StorageIndex | undefined
    for (;;) {
      signal?.throwIfAborted()
      const { objects, complete } = ledger.index.page({ after, limit: pageObjects })
      const partly: StorageIndex[] = []
      for (const { storageIndex, object } of objects) {
        shareCount += object.shares.length
        const left = withoutEnded(object, quarantineMs, nowMs)
        if (left === object) continue
        if (left.holds.length === 0) due.push({ storageIndex, shares: object.shares })
        else partly.push(storageIndex)
      }
      if (partly.length > 0) await this.#letGo(partly, nowMs)
      if (complete) return { due, shareCount }
      after = objects.at(-1)?.storageIndex
      await ledger.pause()
    }
  }

  /** Ends what is over of objects that others still hold: read again from the journal it would be over too. */
  async #letGo(storageIndexes: readonly StorageIndex[], nowMs: number): Promise<void> {
    const { ledger, quarantineMs } = this.#parts
    await ledger.begin()
    await ledger.index.change((writer) => {
      for (const storageIndex of storageIndexes) {
        const object = writer.object(storageIndex)
        const left = object && withoutEnded(object, quarantineMs, nowMs)
        if (left !== undefined && left.holds.length > 0) writer.setObject(storageIndex, left)
      }
    })
  }

  /** First nobody may take it back, then its shares go, then that is recorded, and then it is forgotten. */
  async #delete(
    storageIndex: StorageIndex,
    nowMs: number,
  ): Promise<{ shares: number; bytes: number }> {
    const { ledger, store, trace } = this.#parts
    await ledger.begin()
    const atMs = ledger.now()
    const leaving = await ledger.index.change((writer) => {
      const object = writer.object(storageIndex)
      if (object === undefined || !this.#isDue(object, nowMs)) return undefined
      const marked = { ...object, leavingMs: atMs }
      writer.setObject(storageIndex, marked)
      return marked
    })
    if (leaving === undefined) return { shares: 0, bytes: 0 }
    for (const number of leaving.shares) {
      await store.remove(storageIndex, number)
      trace.event('storage.deleted', { storageIndex: toBase32(storageIndex), shareNumber: number })
    }
    const forget = (): Promise<void> =>
      ledger.index.change((writer) => {
        if (writer.object(storageIndex)?.leavingMs !== atMs) return
        writer.setObject(storageIndex, undefined)
      })
    await ledger.writeThen([{ kind: 'gone', atMs, storageIndexes: [storageIndex] }], forget)
    return { shares: leaving.shares.length, bytes: leaving.chargedBytes }
  }

  #isDue(object: HeldObject, nowMs: number): boolean {
    // one without any hold is nobody's, and stays
    if (object.holds.length === 0 || isLeaving(object, this.#parts.ledger.now())) return false
    return withoutEnded(object, this.#parts.quarantineMs, nowMs).holds.length === 0
  }
}
