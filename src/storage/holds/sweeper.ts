/**
 * Deletes what nobody has held for the time of quarantine (docs/specs/holds.md, "Deletion"): the only
 * thing that ever deletes a share. It would rather do nothing: while the index may not know all, until
 * the clock has gone as it should for the time of quarantine, and when much would go at once without the
 * operator's consent.
 */
import { toBase32 } from '../../base/base32.ts'
import { Budget, within } from '../../base/limit.ts'
import type { Trace } from '../../base/trace.ts'
import type { StorageIndex } from '../request.ts'
import type { ShareStore } from '../share-store.ts'
import { type HeldObject, isLeaving, withoutEnded } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import { lookForDue, type SweepLook } from './sweep-look.ts'
import type { ClockWatch } from './sweep-memory.ts'

export interface SweeperParts {
  ledger: HoldLedger
  store: ShareStore
  trace: Trace
  clockWatch: ClockWatch
  quarantineMs: number
}

export interface SweepOptions {
  /** Says what it would do, and does nothing. */
  dryRun?: boolean
  /** The operator's consent that so many shares go at once, in this sweep; 0 unless told. */
  consentShares?: number
  /** The operator's word that the clock is right now, whatever it did. */
  clockIsRight?: boolean
  signal?: AbortSignal
}

/** Why nothing is deleted: see `SweepReport`. */
export type SweepRefusal = 'index' | 'clock' | 'consent'

export interface SweepReport extends Omit<SweepLook, 'shareCount'> {
  /** What was deleted. */
  deletedShares: number
  deletedBytes: number
  /**
   * Why nothing was deleted, or would be, if so: the index does not know all yet; the clock jumped, and has
   * not gone steadily for the time of quarantine since; so much is due that the operator must consent.
   */
  refusal: SweepRefusal | undefined
  /** With `clock`: when that is over if the clock goes as it should from now on; wall time in ms. */
  clockUntilMs: number | undefined
  /** So many shares may go without consent. */
  freeShares: number
}

/** Of all shares, how many may go in one run without consent, and how many in any case. */
const freeShare = 1 / 20
const minFreeShares = 100

/** Objects that are looked at together. */
const pageObjects = 1024

export class Sweeper {
  readonly #parts: SweeperParts

  readonly #turn = new Budget(1)

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  /** When a sweep looked last, maybe in a process before this one; wall time in ms. Throws E_IO. */
  lastMs(): Promise<number | undefined> {
    return this.#parts.clockWatch.lastMs()
  }

  /**
   * What is due is so by the clock as it is now, not by the ledger's, which never goes back: one that
   * was wrong for an hour must not have ended every quarantine. One sweep at a time. Throws E_READ_ONLY,
   * E_FULL, E_IO, the signal's reason.
   */
  sweep(options: SweepOptions = {}): Promise<SweepReport> {
    return within(this.#turn, 1, () => this.#sweep(options))
  }

  async #sweep({
    dryRun = false,
    consentShares = 0,
    clockIsRight = false,
    signal,
  }: SweepOptions): Promise<SweepReport> {
    const { ledger, clockWatch, quarantineMs } = this.#parts
    const { wallMs, steadyMs } = dryRun ? await clockWatch.peek() : await clockWatch.look()
    const isComplete = ledger.index.isComplete
    const acts = isComplete && !dryRun
    const { shareCount, ...look } = await lookForDue(ledger, {
      ...{ nowMs: wallMs, quarantineMs, signal },
      ...(acts && { onPartly: (indexes) => this.#letGo(indexes, wallMs) }),
    })
    const freeShares = Math.max(minFreeShares, Math.floor(shareCount * freeShare))
    const isSteady = clockIsRight || steadyMs >= quarantineMs
    const refusal = refusalOf({
      ...{ isComplete, isSteady, dueShares: look.due.shares },
      mayGo: Math.max(freeShares, consentShares),
    })
    const clockUntilMs = refusal === 'clock' ? wallMs + quarantineMs - steadyMs : undefined
    const deleted = { deletedShares: 0, deletedBytes: 0 }
    const report = { ...deleted, ...look, refusal, clockUntilMs, freeShares }
    if (!acts || refusal !== undefined || look.due.shares === 0) return report
    for await (const storageIndex of this.#due(wallMs)) {
      signal?.throwIfAborted()
      const { shares, bytes } = await this.#delete(storageIndex, wallMs)
      report.deletedShares += shares
      report.deletedBytes += bytes
    }
    return report
  }

  /** What is due, looked for again: a million of them need not be in memory at once. None can have come since. */
  async *#due(nowMs: number): AsyncGenerator<StorageIndex> {
    const { ledger } = this.#parts
    for (let after: StorageIndex | undefined; ;) {
      const { objects, complete } = ledger.index.page({ after, limit: pageObjects })
      for (const { storageIndex, object } of objects)
        if (this.#isDue(object, nowMs)) yield storageIndex
      after = objects.at(-1)?.storageIndex
      if (complete) return
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
    // and any that was stored, and could not be noted
    const numbers = new Set([...leaving.shares, ...(await store.list(storageIndex))])
    for (const number of numbers) {
      await store.remove(storageIndex, number)
      trace.event('storage.deleted', { storageIndex: toBase32(storageIndex), shareNumber: number })
    }
    const forget = (): Promise<void> =>
      ledger.index.change((writer) => {
        if (writer.object(storageIndex)?.leavingMs !== atMs) return
        writer.setObject(storageIndex, undefined)
      })
    await ledger.writeThen([{ kind: 'gone', atMs, storageIndexes: [storageIndex] }], forget)
    return { shares: numbers.size, bytes: leaving.chargedBytes }
  }

  #isDue(object: HeldObject, nowMs: number): boolean {
    // one without any hold is nobody's, and stays
    if (object.holds.length === 0 || isLeaving(object, this.#parts.ledger.now())) return false
    return withoutEnded(object, this.#parts.quarantineMs, nowMs).holds.length === 0
  }
}

function refusalOf(found: {
  isComplete: boolean
  isSteady: boolean
  dueShares: number
  mayGo: number
}): SweepRefusal | undefined {
  if (!found.isComplete) return 'index'
  if (found.dueShares === 0) return undefined
  if (!found.isSteady) return 'clock'
  return found.dueShares > found.mayGo ? 'consent' : undefined
}
