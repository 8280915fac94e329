/** What a put makes of the holds of its object: before its body is taken, and once the share is stored. */
import type { StorageIndex } from '../request.ts'
import { GridError } from '../../base/errors.ts'
import { applyRecord } from './apply-record.ts'
import { holdOf, isLeaving, nobody, unheld, withShare } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import { checkPlace, type Claim, heldBy, recordOf, wasSafe } from './touches.ts'

/**
 * Notes who holds a share that is stored now. Where nobody held the object, it is nobody's without its
 * record, which keeps it: so nobody waits for the disk, and nothing fails the put. Where somebody did, or
 * the object was released, it would be as that says: then the record is durable first.
 *
 * Throws E_READ_ONLY, E_FULL, E_IO in that case alone.
 */
export async function notePut(
  ledger: HoldLedger,
  share: { storageIndex: StorageIndex; shareNumber: number; shareBytes: number },
  claim: Pick<Claim, 'holder' | 'payer' | 'expiresMs'>,
): Promise<void> {
  const { storageIndex, shareNumber, shareBytes } = share
  const isNobodys = claim.holder === nobody && ledger.index.object(storageIndex) === undefined
  // what is nobody's need not be noted where all will be looked for anyway
  if (isNobodys && !ledger.index.isComplete) return
  let unready: { error: unknown } | undefined
  await ledger.begin().catch((error: unknown) => (unready = { error }))
  let isKnown = false
  try {
    const atMs = ledger.now()
    const record = await ledger.index.change((writer) => {
      const before = writer.object(storageIndex) ?? unheld
      // by what is so now: others may have put it while a segment was begun
      isKnown = before.holds.length > 0
      if (isKnown && unready !== undefined) throw unready.error
      const object = withShare(before, shareNumber, shareBytes)
      writer.setObject(storageIndex, object)
      const hold = recordOf(storageIndex, object, holdOf(object, claim.holder), claim, atMs)
      const record = heldBy(claim, atMs, [hold])
      applyRecord(writer, record)
      return record
    })
    // the record is kept in mind where it cannot be written now
    if (unready !== undefined) ledger.lost(unready.error)
    if (isKnown) await ledger.write([record])
    else void ledger.writeSoon([record])
  } catch (error) {
    if (isKnown) throw error
    ledger.lost(error)
  }
}

/**
 * Takes an object back before a put of one of its shares is answered: what is here of it may be all
 * that the put needs, and must not be deleted meanwhile. Throws E_BUSY while it is being deleted, E_FULL
 * where too many hold it.
 */
export async function keepForPut(
  ledger: HoldLedger,
  storageIndex: StorageIndex,
  claim: Claim,
): Promise<void> {
  const nowMs = ledger.now()
  const known = ledger.index.object(storageIndex)
  if (known !== undefined) checkPlace(known, claim)
  if (known === undefined || (wasSafe(known, nowMs) && !isLeaving(known, nowMs))) return
  await ledger.begin()
  await ledger.index.change((writer) => {
    const object = writer.object(storageIndex)
    if (object === undefined) return
    if (isLeaving(object, nowMs)) throw new GridError('E_BUSY', 'this object is being deleted')
    const hold = recordOf(storageIndex, object, holdOf(object, claim.holder), claim, nowMs)
    applyRecord(writer, heldBy(claim, nowMs, [hold]))
  })
}
