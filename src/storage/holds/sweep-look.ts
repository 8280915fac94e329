/** What a sweep finds: which objects are due, and which wait for it (docs/specs/holds.md, "Quarantine and deletion"). */
import { type HeldObject, endOf, isLeaving, isQuarantined, withoutEnded } from './held-object.ts'
import type { StorageIndex } from '../request.ts'
import type { HoldLedger } from './hold-ledger.ts'

export interface Amount {
  objects: number
  shares: number
  /** As they are charged: 4,096 for the smallest share. */
  bytes: number
}

export interface SweepLook {
  /** What nobody has held for the time of quarantine. */
  due: Amount
  /** What nobody holds, and not yet for so long. */
  waiting: Amount
  /** When the next of those falls due, by the wall clock; undefined for none. */
  nextMs: number | undefined
  /** All shares that are known. */
  shareCount: number
}

export interface LookOptions {
  nowMs: number
  quarantineMs: number
  /** Told of objects that some holds have ended of for good, and that others still hold. */
  onPartly?: (storageIndexes: readonly StorageIndex[]) => Promise<void>
  signal?: AbortSignal | undefined
}

const pageObjects = 1024

/** Looks at all objects of the index, a page at a time. Throws E_IO, the signal's reason, and as `onPartly` does. */
export async function lookForDue(ledger: HoldLedger, options: LookOptions): Promise<SweepLook> {
  const { nowMs, quarantineMs, onPartly, signal } = options
  const look: SweepLook = { due: noAmount(), waiting: noAmount(), nextMs: undefined, shareCount: 0 }
  let after: StorageIndex | undefined
  for (;;) {
    signal?.throwIfAborted()
    const { objects, complete } = ledger.index.page({ after, limit: pageObjects })
    const partly: StorageIndex[] = []
    for (const { storageIndex, object } of objects) {
      look.shareCount += object.shares.length
      const left = withoutEnded(object, quarantineMs, nowMs)
      if (left !== object && left.holds.length === 0) {
        addTo(look.due, object)
        continue
      }
      if (left !== object) partly.push(storageIndex)
      if (object.holds.length === 0 || !isQuarantined(object, nowMs)) continue
      if (isLeaving(object, nowMs)) continue
      addTo(look.waiting, object)
      look.nextMs = Math.min(look.nextMs ?? Infinity, lastEndOf(object) + quarantineMs)
    }
    if (partly.length > 0) await onPartly?.(partly)
    if (complete) return look
    after = objects.at(-1)?.storageIndex
    await ledger.pause()
  }
}

export function noAmount(): Amount {
  return { objects: 0, shares: 0, bytes: 0 }
}

export function addTo(amount: Amount, { shares, chargedBytes }: HeldObject): void {
  amount.objects++
  amount.shares += shares.length
  amount.bytes += chargedBytes
}

/** An object is due when the hold that ended last is. */
function lastEndOf({ holds }: HeldObject): number {
  return Math.max(...holds.map(endOf))
}
