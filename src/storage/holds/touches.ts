/**
 * Touches and renewals (docs/specs/holds.md, "Touch"). The index is changed first and the journal then:
 * if the record is lost, more is held than was acknowledged, and never less.
 */
import { toHex } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import type { TouchOutcome } from '../hold-peer.ts'
import type { StorageIndex } from '../request.ts'
import { applyRecord } from './apply-record.ts'
import {
  claimedEndsMs,
  endOf,
  hasPlaceFor,
  type HeldObject,
  type Hold,
  holdOf,
  type Holder,
  isAccount,
  isHeld,
  isLease,
  isLeaving,
  nobody,
  unheld,
  withProlonged,
} from './held-object.ts'
import type { HoldReader } from './hold-index.ts'
import type { HoldLedger } from './hold-ledger.ts'
import type { HoldRecord, RecordedHold } from './hold-record.ts'

/** In whose name something is held from now on, and until when. */
export interface Claim {
  holder: Holder
  /** Whose quota it counts against; undefined where that is nobody's. */
  payer: Holder | undefined
  /** End of a lease; 0 for a hold without a date. */
  expiresMs: number
  /** Throws E_FULL unless its holder may be charged so much more. */
  checkRoom: (chargeBytes: number, index: HoldReader) => void
}

/** So long after it was touched, and that is durable, a hold is not touched anew. */
const restMs = 3600 * 1000

/** What came of each index, and how many holds were left as they are. */
interface Touched {
  outcomes: TouchOutcome[]
  rest: number
}

/** Durable when it resolves. Throws as `touch` of HoldPeer does. */
export async function touch(
  ledger: HoldLedger,
  indexes: readonly StorageIndex[],
  claim: Claim,
): Promise<TouchOutcome[]> {
  return settled(ledger, (trustedMs) => touchUnless(ledger, indexes, claim, trustedMs))
}

/** Does it again, letting nothing rest, unless what rests is durable. */
async function settled(
  ledger: HoldLedger,
  work: (trustedMs: number) => Promise<Touched>,
): Promise<TouchOutcome[]> {
  const { trustedMs } = ledger
  const { outcomes, rest } = await work(trustedMs)
  if (rest > 0 && !(await ledger.settle(trustedMs))) await work(Infinity)
  return outcomes
}

/** Lets those rest that were touched after `trustedMs`, and not long ago; `rest` of them. */
async function touchUnless(
  ledger: HoldLedger,
  indexes: readonly StorageIndex[],
  claim: Claim,
  trustedMs: number,
): Promise<Touched> {
  await ledger.begin()
  const hasRoom = await ledger.hasRoom()
  const present = await ledger.present(indexes)
  const atMs = ledger.now()
  const holds: RecordedHold[] = []
  const found: RecordedHold[] = []
  const recordsOf = (): HoldRecord[] => [
    ...(found.length > 0 ? [heldBy(nobodys, atMs, found)] : []),
    ...(holds.length > 0 ? [heldBy(claim, atMs, holds)] : []),
  ]
  let rest = 0
  const outcomes = await ledger.index.change((writer) => {
    const charges = new Map<string, number>()
    const outcomes = indexes.map((storageIndex, i): TouchOutcome => {
      const object = writer.object(storageIndex) ?? unheld
      if (!isHere(object, present[i], writer, atMs)) return 'absent'
      const known = holdOf(object, claim.holder)
      if (
        known !== undefined &&
        known.touchedMs > trustedMs &&
        mayRest(object, known, claim, atMs)
      ) {
        rest++
        return 'held'
      }
      checkPlace(object, claim)
      if (known === undefined || known.payer !== claim.payer)
        charges.set(toHex(storageIndex), object.chargedBytes)
      holds.push(recordOf(storageIndex, object, known, claim, atMs))
      if (object.holds.length === 0) found.push(nobodysFor(storageIndex, object, claim, atMs))
      return wasSafe(object, atMs) ? 'held' : 'readopted'
    })
    if (holds.length > 0 && !hasRoom) throw noRoom()
    claim.checkRoom(sumOf(charges.values()), writer)
    for (const record of recordsOf()) applyRecord(writer, record)
    return outcomes
  })
  await ledger.write(recordsOf())
  return { outcomes, rest }
}

const nobodys = { holder: nobody, payer: undefined }

/** What was here without a hold was put by someone whose record is lost, and who may count on it. */
function nobodysFor(
  storageIndex: StorageIndex,
  { chargedBytes }: HeldObject,
  { holder }: Claim,
  nowMs: number,
): RecordedHold {
  // only who holds it without a date will see to it from now on
  const expiresMs = isAccount(holder) ? nowMs + claimedEndsMs : 0
  return { storageIndex, chargedBytes, touchedMs: nowMs, expiresMs }
}

/** Whether a touch now would change nothing but the time of the last, and that by little. */
function mayRest(object: HeldObject, known: Hold, claim: Claim, nowMs: number): boolean {
  const { touchedMs, expiresMs, releasedMs, payer } = known
  if (releasedMs > 0 || object.leavingMs > 0 || payer !== claim.payer) return false
  const isNew = touchedMs <= nowMs && nowMs - touchedMs < restMs
  const isLongEnough =
    claim.expiresMs === 0 ? expiresMs === 0 : claim.expiresMs - expiresMs < restMs
  return isNew && isLongEnough && endOf(known) > nowMs
}

/** Throws E_FULL where too many hold it. */
export function checkPlace(object: HeldObject, claim: Claim): void {
  if (!hasPlaceFor(object, claim)) throw new GridError('E_FULL', 'too many hold this object')
}

function noRoom(): GridError {
  return new GridError('E_FULL', 'no space left for holds')
}

/** Prolongs every lease of each to `leaseMs` from now. Durable when it resolves. */
export async function renew(
  ledger: HoldLedger,
  indexes: readonly StorageIndex[],
  leaseMs: number,
): Promise<TouchOutcome[]> {
  return settled(ledger, (trustedMs) => renewUnless(ledger, indexes, leaseMs, trustedMs))
}

/** Lets those rest that were prolonged after `trustedMs`, and not long ago. */
async function renewUnless(
  ledger: HoldLedger,
  indexes: readonly StorageIndex[],
  leaseMs: number,
  trustedMs: number,
): Promise<Touched> {
  await ledger.begin()
  const hasRoom = await ledger.hasRoom()
  const present = await ledger.present(indexes)
  const atMs = ledger.now()
  const expiresMs = atMs + leaseMs
  /** One for each holder. */
  const renewed = new Map<string, HeldRecord>()
  let rest = 0
  const outcomes = await ledger.index.change((writer) => {
    const outcomes = indexes.map((storageIndex, i): TouchOutcome => {
      const object = writer.object(storageIndex) ?? unheld
      if (!isHere(object, present[i], writer, atMs)) return 'absent'
      const leases = object.holds.filter(isLease)
      const due = leases.filter((lease) => !isRenewed(lease, leaseMs, trustedMs, atMs))
      rest += leases.length - due.length
      for (const { holder, payer, touchedMs } of due) {
        const record = recordFor(renewed, { kind: 'held', atMs, holder, payer, holds: [] })
        record.holds.push({ storageIndex, chargedBytes: object.chargedBytes, touchedMs, expiresMs })
      }
      // in one step however many they are: it is what their records make of it
      if (due.length > 0) writer.setObject(storageIndex, withProlonged(object, due, expiresMs))
      return wasSafe(object, atMs) || leases.length === 0 ? 'held' : 'readopted'
    })
    if (renewed.size > 0 && !hasRoom) throw noRoom()
    return outcomes
  })
  await ledger.write([...renewed.values()])
  return { outcomes, rest }
}

/** Whether it was prolonged by as much, or touched, so lately that it would end little later. */
function isRenewed(
  { expiresMs }: Hold,
  leaseMs: number,
  trustedMs: number,
  nowMs: number,
): boolean {
  const renewedMs = expiresMs - leaseMs
  return renewedMs > trustedMs && renewedMs <= nowMs && nowMs - renewedMs < restMs
}

type HeldRecord = Extract<HoldRecord, { kind: 'held' }> & { holds: RecordedHold[] }

/** The one record of its holder and payer, `empty` at first. */
function recordFor(records: Map<string, HeldRecord>, empty: HeldRecord): HeldRecord {
  const key = `${empty.holder} ${empty.payer}`
  const record = records.get(key) ?? empty
  records.set(key, record)
  return record
}

/**
 * Whether shares of it are here and stay; `wasPresent` is what counts while the index may not know all, and
 * where a deletion was cut short: nobody knows how far it came.
 */
function isHere(
  object: HeldObject,
  wasPresent: boolean,
  { isComplete }: HoldReader,
  nowMs: number,
): boolean {
  if (isLeaving(object, nowMs)) return false
  if (object.leavingMs > 0) return wasPresent
  return object.shares.length > 0 || (wasPresent && !isComplete)
}

export function heldBy(
  { holder, payer }: Pick<Hold, 'holder' | 'payer'>,
  atMs: number,
  holds: readonly RecordedHold[],
): HoldRecord {
  return { kind: 'held', atMs, holder, payer, holds }
}

/** Whether it was held; one that nobody has looked for yet is nobody's. */
export function wasSafe(object: HeldObject, nowMs: number): boolean {
  return object.holds.length === 0 || isHeld(object, nowMs)
}

/** A touch is always after what it takes back, whatever the clock says. */
export function recordOf(
  storageIndex: StorageIndex,
  { chargedBytes }: HeldObject,
  known: Hold | undefined,
  { expiresMs }: Pick<Claim, 'expiresMs'>,
  nowMs: number,
): RecordedHold {
  const touchedMs = Math.max(nowMs, known?.touchedMs ?? 0, known?.cutoffMs ?? 0)
  return { storageIndex, chargedBytes, touchedMs, expiresMs }
}

function sumOf(values: Iterable<number>): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}
