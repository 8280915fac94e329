/**
 * Tells an index of every share of the store (docs/specs/holds.md, "Index"): run beside serving, after
 * the index was lost. A share of which no hold is known is nobody's from then on, which keeps it.
 */
import { toHex } from '../../base/bytes.ts'
import type { StorageIndex } from '../request.ts'
import type { ShareStore } from '../share-store.ts'
import { chargeOf, type HeldObject, nobody, unheld, withHold } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'

/** Objects told of in one change. */
const batchObjects = 1024

interface FoundObject {
  storageIndex: StorageIndex
  shares: number[]
  chargedBytes: number
}

/** Until it resolves the index does not count as complete. Throws E_READ_ONLY, E_FULL, E_IO, the signal's reason. */
export async function walkShares(
  ledger: HoldLedger,
  store: ShareStore,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> {
  await ledger.begin()
  let batch: FoundObject[] = []
  const flush = async (): Promise<void> => {
    const found = batch
    batch = []
    const nowMs = ledger.now()
    await ledger.index.change((writer) => {
      for (const each of found) {
        const known = writer.object(each.storageIndex) ?? unheld
        writer.setObject(each.storageIndex, whereFound(known, each, nowMs))
      }
    })
  }
  for await (const { storageIndex, shareNumber, shareBytes } of store.entries()) {
    signal?.throwIfAborted()
    const last = batch.at(-1)
    if (last !== undefined && toHex(last.storageIndex) === toHex(storageIndex)) {
      last.shares.push(shareNumber)
      last.chargedBytes += chargeOf(shareBytes)
      continue
    }
    if (batch.length >= batchObjects) await flush()
    batch.push({ storageIndex, shares: [shareNumber], chargedBytes: chargeOf(shareBytes) })
  }
  await flush()
  await noteDamaged(ledger, store)
  await forgetAbsent(ledger, signal)
  await ledger.index.change((writer) => writer.setComplete(true))
}

/** What has come while it was looked for is in the index already. */
function whereFound(known: HeldObject, found: FoundObject, nowMs: number): HeldObject {
  const shares = Uint8Array.from(new Set([...known.shares, ...found.shares])).sort()
  const isNews = known.shares.some((number) => !found.shares.includes(number))
  const chargedBytes = isNews
    ? Math.max(known.chargedBytes, found.chargedBytes)
    : found.chargedBytes
  const object = { ...known, shares, chargedBytes }
  if (object.holds.length > 0) return object
  return withHold(object, { holder: nobody, payer: undefined, touchedMs: nowMs, expiresMs: 0 })
}

async function noteDamaged(ledger: HoldLedger, store: ShareStore): Promise<void> {
  const damaged = await store.damaged()
  await ledger.index.change((writer) => {
    for (const { storageIndex, shareNumber } of damaged) {
      const object = writer.object(storageIndex)
      if (object === undefined || object.damaged.includes(shareNumber)) continue
      const numbers = Uint8Array.from([...object.damaged, shareNumber]).sort()
      writer.setObject(storageIndex, { ...object, damaged: numbers })
    }
  })
}

/** Holds of what is not here hold nothing. */
async function forgetAbsent(ledger: HoldLedger, signal: AbortSignal | undefined): Promise<void> {
  let after: StorageIndex | undefined
  for (;;) {
    signal?.throwIfAborted()
    const { objects, complete } = ledger.index.page({ after, limit: batchObjects })
    const absent = objects.filter(({ object }) => isAbsent(object))
    if (absent.length > 0) {
      await ledger.index.change((writer) => {
        for (const { storageIndex } of absent) {
          const object = writer.object(storageIndex)
          if (object !== undefined && isAbsent(object)) writer.setObject(storageIndex, undefined)
        }
      })
    }
    if (complete) return
    after = objects.at(-1)?.storageIndex
    await ledger.pause()
  }
}

function isAbsent({ shares, damaged }: HeldObject): boolean {
  return shares.length === 0 && damaged.length === 0
}
