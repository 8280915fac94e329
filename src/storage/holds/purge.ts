/**
 * Ends the holds that a member pays for whose time is over (docs/specs/holds.md, "Purge"). What nobody else
 * holds then waits in quarantine, and a touch takes it back.
 */
import { GridError } from '../../base/errors.ts'
import type { Terms } from '../admission.ts'
import type { StorageIndex } from '../request.ts'
import { applyRecord } from './apply-record.ts'
import { endOf, type Holder, isHeld, payerHolder } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import type { HoldRecord } from './hold-record.ts'
import { addTo, type Amount, noAmount } from './sweep-look.ts'

export interface PurgeOptions {
  /** Says what it would end, and ends nothing. */
  dryRun?: boolean
  signal?: AbortSignal
}

export interface PurgeReport {
  /** When the member's time was over; wall time in ms. */
  endedMs: number
  /** Objects that it pays for, each once. */
  paid: Amount
  /** Of those, what nobody else holds. */
  unheld: Amount
  /** By holder, that with the most bytes first; at most 1,000. */
  holders: { holder: Holder; objects: number; bytes: number }[]
  holderCount: number
  /** Holds that were ended. */
  endedHolds: number
}

const pageObjects = 1024
const maxHolders = 1000
/** A server's clock for holds may be ahead of what admitted the last touch. */
const slackMs = 24 * 3600 * 1000

/**
 * @param terms - the member's, as they are known here
 * @param nowMs - wall time
 * @throws E_ABSENT for a member that is not known, E_FORBIDDEN with the date before it may be; E_READ_ONLY,
 *   E_FULL, E_IO, the signal's reason
 */
export async function purgePayer(
  ledger: HoldLedger,
  { payer, terms, nowMs }: { payer: Uint8Array; terms: Terms | undefined; nowMs: number },
  { dryRun = false, signal }: PurgeOptions,
): Promise<PurgeReport> {
  const endedMs = endThatIsOver(terms, nowMs)
  // it touched nothing after its end: what was touched since is somebody else's
  const cutoffMs = Math.min(endedMs + slackMs, nowMs)
  const paying = payerHolder(payer)
  const holders = new Map<Holder, { objects: number; bytes: number }>()
  const report = { endedMs, paid: noAmount(), unheld: noAmount(), endedHolds: 0 }
  if (!dryRun) await ledger.begin()
  let after: StorageIndex | undefined
  for (;;) {
    signal?.throwIfAborted()
    const { objects, complete } = ledger.index.page({ after, limit: pageObjects })
    const byHolder = new Map<Holder, StorageIndex[]>()
    for (const { storageIndex, object } of objects) {
      const ending = object.holds.filter(
        (hold) => hold.payer === paying && hold.touchedMs < cutoffMs && endOf(hold) > nowMs,
      )
      if (ending.length === 0) continue
      addTo(report.paid, object)
      const others = object.holds.filter((hold) => !ending.includes(hold))
      if (!isHeld({ ...object, holds: others }, nowMs)) addTo(report.unheld, object)
      for (const { holder } of ending) {
        const sum = holders.get(holder) ?? { objects: 0, bytes: 0 }
        holders.set(holder, { objects: sum.objects + 1, bytes: sum.bytes + object.chargedBytes })
        const held = byHolder.get(holder) ?? []
        held.push(storageIndex)
        byHolder.set(holder, held)
      }
    }
    if (!dryRun) report.endedHolds += await end(ledger, byHolder, cutoffMs)
    if (complete) break
    after = objects.at(-1)?.storageIndex
    await ledger.pause()
  }
  const most = [...holders]
    .map(([holder, sum]) => ({ holder, ...sum }))
    .sort((a, b) => b.bytes - a.bytes)
  return { ...report, holders: most.slice(0, maxHolders), holderCount: holders.size }
}

function endThatIsOver(terms: Terms | undefined, nowMs: number): number {
  if (terms === undefined) throw new GridError('E_ABSENT', 'this node has never met that member')
  const { readOnlyAfterMs, purgeAfterMs } = terms
  if (readOnlyAfterMs === undefined || purgeAfterMs === undefined)
    throw new GridError('E_FORBIDDEN', 'memberships of this grid have no end')
  if (nowMs >= purgeAfterMs) return readOnlyAfterMs
  const [end, from] = [readOnlyAfterMs, purgeAfterMs].map((ms) =>
    new Date(Math.min(ms, 8.64e15)).toISOString().slice(0, 10),
  )
  const tense = nowMs < readOnlyAfterMs ? 'ends' : 'ended'
  throw new GridError(
    'E_FORBIDDEN',
    `that membership ${tense} on ${end}: what it pays for may be ended from ${from} on`,
    { facts: { readOnlyAfterMs, purgeAfterMs } },
  )
}

/** As a release is carried out: recorded first. A hold that is touched meanwhile is after the cutoff. */
async function end(
  ledger: HoldLedger,
  byHolder: ReadonlyMap<Holder, StorageIndex[]>,
  cutoffMs: number,
): Promise<number> {
  const atMs = ledger.now()
  const records = [...byHolder].map(([account, storageIndexes]): HoldRecord => {
    const author = new Uint8Array(32)
    return { kind: 'released', atMs, account, author, releaseSeq: 0, cutoffMs, storageIndexes }
  })
  if (records.length === 0) return 0
  return ledger.writeThen(records, () =>
    ledger.index.change((writer) =>
      records.reduce((sum, record) => sum + applyRecord(writer, record).changed, 0),
    ),
  )
}
