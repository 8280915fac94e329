/**
 * What a server knows of one object: which shares of it are here, and who holds them
 * (docs/specs/holds.md, "Holds"). Values that never change: each change makes a new one.
 */
import { concat, fromHex, toHex, utf8 } from '../../base/bytes.ts'
import { hashBytes, sha256 } from '../../base/hash.ts'
import { publicKeyOf } from '../../base/peer-id.ts'

/** What kinds of holders there are. Append-only. */
export const holderKinds = { nobody: 0, account: 1, client: 2, payer: 3 } as const

/** Kind and id of a holder, or of a payer, 33 bytes in hex: fit to be compared and to be a key. */
export type Holder = string

export const holderBytes: number = 1 + hashBytes

/** Holds what was found without a hold: undated, and nobody may release it. */
export const nobody: Holder = holderOf(holderKinds.nobody, new Uint8Array(hashBytes))

/** What the smallest share is charged, so that tiny ones cannot use up the file system's tables. */
export const minChargeBytes = 4096

export interface Hold {
  readonly holder: Holder
  /** Whose quota it counts against; undefined where that is nobody's. */
  readonly payer: Holder | undefined
  /** When it was touched last, by the server's clock. */
  readonly touchedMs: number
  /** When the lease ends; 0 for a hold without a date. */
  readonly expiresMs: number
  /** When it was released; 0 if it was not. */
  readonly releasedMs: number
  /** Of that release: a touch at or after it takes the hold back. */
  readonly cutoffMs: number
}

export interface HeldObject {
  /** What each of its holders is charged: all shares here together. */
  readonly chargedBytes: number
  /** Numbers of the shares that are here, ascending. */
  readonly shares: Uint8Array
  /** Numbers of those that were found damaged and taken out of service. */
  readonly damaged: Uint8Array
  /** When a process began to delete its shares; 0 if none has. */
  readonly leavingMs: number
  /** At most one of each holder. */
  readonly holds: readonly Hold[]
}

/** Leases of clients that an object may have, and accounts that may hold it. */
export const maxLeases = 64
export const maxAccounts = 1024

/** What is nobody's and an account's stays so long for whoever else may count on it. */
export const claimedEndsMs: number = 365 * 24 * 3600 * 1000

/** A deletion that has not ended by then never will: its process has. */
export const leavingEndsMs: number = 10 * 60 * 1000

const none = new Uint8Array(0)
export const unheld: HeldObject = {
  chargedBytes: 0,
  shares: none,
  damaged: none,
  leavingMs: 0,
  holds: [],
}

export function accountHolder(logId: Uint8Array): Holder {
  return holderOf(holderKinds.account, logId)
}

/** A member of the grid, by its public key, as one who pays. */
export function payerHolder(key: Uint8Array): Holder {
  return holderOf(holderKinds.payer, key)
}

/** The holder that a client is by its peer id alone. */
export function clientHolder(peerId: string): Holder {
  return holderOf(holderKinds.client, publicKeyOf(peerId) ?? sha256(utf8(peerId)))
}

export function isAccount(holder: Holder): boolean {
  return holder.startsWith('01')
}

function isClient(holder: Holder): boolean {
  return holder.startsWith('02')
}

export function holderToBytes(holder: Holder): Uint8Array {
  return fromHex(holder)
}

/** Undefined for bytes that are no holder's. */
export function holderFromBytes(bytes: Uint8Array): Holder | undefined {
  return bytes.length === holderBytes && bytes[0] <= holderKinds.payer ? toHex(bytes) : undefined
}

/** When a hold ends, or has ended; Infinity for one that stays. */
export function endOf({ expiresMs, releasedMs }: Hold): number {
  const expiry = expiresMs === 0 ? Infinity : expiresMs
  return releasedMs === 0 ? expiry : Math.min(releasedMs, expiry)
}

/** Whether it has a date, which a renewal moves. */
export function isLease({ expiresMs }: Hold): boolean {
  return expiresMs > 0
}

/** Whether anyone holds it at `nowMs`. */
export function isHeld({ holds }: HeldObject, nowMs: number): boolean {
  return holds.some((hold) => endOf(hold) > nowMs)
}

/** Whether its shares are being deleted: what is put or touched of it must wait for that. */
export function isLeaving({ leavingMs }: HeldObject, nowMs: number): boolean {
  return leavingMs > 0 && nowMs - leavingMs < leavingEndsMs
}

/** Whether shares of it are here that nobody holds. */
export function isQuarantined(object: HeldObject, nowMs: number): boolean {
  return object.shares.length > 0 && !isHeld(object, nowMs)
}

export function holdOf({ holds }: HeldObject, holder: Holder): Hold | undefined {
  return holds.find((hold) => hold.holder === holder)
}

export function chargeOf(shareBytes: number): number {
  return Math.max(shareBytes, minChargeBytes)
}

/** With one more share; the same for one that is known. */
export function withShare(object: HeldObject, number: number, shareBytes: number): HeldObject {
  const damaged = object.damaged.filter((other) => other !== number)
  if (object.shares.includes(number)) return { ...object, damaged }
  const shares = Uint8Array.from([...object.shares, number]).sort()
  const chargedBytes = object.chargedBytes + chargeOf(shareBytes)
  return { ...object, shares, damaged, chargedBytes }
}

/** Without a share that was taken out of service. */
export function withDamaged(object: HeldObject, number: number, shareBytes: number): HeldObject {
  if (!object.shares.includes(number)) return object
  const shares = object.shares.filter((other) => other !== number)
  const damaged = Uint8Array.from([...object.damaged, number]).sort()
  const chargedBytes = Math.max(0, object.chargedBytes - chargeOf(shareBytes))
  return { ...object, shares, damaged, chargedBytes }
}

/**
 * With a hold touched at `touchedMs`, by the rules that make the order of touches not matter: the
 * latest touch and the latest date count, and one at or after a release's cutoff takes it back. Once an
 * account holds what is nobody's too, nobody's hold has an end, a year away.
 */
export function withHold(
  object: HeldObject,
  { holder, payer, touchedMs, expiresMs }: Omit<Hold, 'releasedMs' | 'cutoffMs'>,
): HeldObject {
  const known = holdOf(object, holder)
  const isBack = known === undefined || touchedMs >= known.cutoffMs
  const isLatest = known === undefined || touchedMs >= known.touchedMs
  const hold = {
    holder,
    payer: isLatest ? payer : known.payer,
    touchedMs: Math.max(touchedMs, known?.touchedMs ?? 0),
    expiresMs: Math.max(expiresMs, known?.expiresMs ?? 0),
    releasedMs: isBack ? 0 : known.releasedMs,
    cutoffMs: isBack ? 0 : known.cutoffMs,
  }
  const ends = isAccount(holder)
  const holds = object.holds.map((other) => {
    if (other === known) return hold
    return ends ? claimed(other, touchedMs) : other
  })
  if (known === undefined) holds.push(hold)
  return { ...object, leavingMs: 0, holds: withinBounds(holds) }
}

/**
 * Nobody's hold may be that of someone whose record is lost: a claim of another must not end it at once,
 * and it must not keep for ever what the one who claims it lets go of.
 */
function claimed(hold: Hold, touchedMs: number): Hold {
  if (hold.holder !== nobody) return hold
  const endsMs = touchedMs + claimedEndsMs
  return { ...hold, expiresMs: hold.expiresMs === 0 ? endsMs : Math.min(hold.expiresMs, endsMs) }
}

/** Whether one more, or the same anew, may hold it. */
export function hasPlaceFor(
  object: HeldObject,
  { holder, expiresMs }: Pick<Hold, 'holder' | 'expiresMs'>,
): boolean {
  if (holdOf(object, holder) !== undefined) return true
  if (isAccount(holder)) {
    return object.holds.filter((other) => isAccount(other.holder)).length < maxAccounts
  }
  const leases = object.holds.filter((other) => isClient(other.holder))
  return leases.length < maxLeases || leases.some((lease) => endOf(lease) < expiresMs)
}

/** Of too many leases the one that ends first gives way: all others keep the object for longer. */
function withinBounds(holds: readonly Hold[]): readonly Hold[] {
  const leases = holds.filter(({ holder }) => isClient(holder))
  if (leases.length <= maxLeases) return holds
  const isBefore = (a: Hold, b: Hold): boolean =>
    endOf(a) < endOf(b) || (endOf(a) === endOf(b) && a.holder < b.holder)
  const first = leases.reduce((a, b) => (isBefore(b, a) ? b : a))
  return holds.filter((hold) => hold !== first)
}

/** With one of its holds in the place of that holder's. */
export function withChanged(object: HeldObject, hold: Hold): HeldObject {
  const holds = object.holds.map((other) => (other.holder === hold.holder ? hold : other))
  return { ...object, holds }
}

/** With `leases`, which are among its holds, until `expiresMs` at least: as `withHold` of each would make it. */
export function withProlonged(
  object: HeldObject,
  leases: readonly Hold[],
  expiresMs: number,
): HeldObject {
  const due = new Set(leases)
  const prolonged = (hold: Hold): Hold =>
    due.has(hold) ? { ...hold, expiresMs: Math.max(hold.expiresMs, expiresMs) } : hold
  return { ...object, leavingMs: 0, holds: object.holds.map(prolonged) }
}

/** Without the holds that ended `quarantineMs` before `nowMs`, or earlier. */
export function withoutEnded(object: HeldObject, quarantineMs: number, nowMs: number): HeldObject {
  const holds = object.holds.filter((hold) => endOf(hold) + quarantineMs > nowMs)
  return holds.length === object.holds.length ? object : { ...object, holds }
}

/** Everyone who is charged for it, once for each hold: its holder, and who pays. */
export function chargedFor(object: HeldObject | undefined): Holder[] {
  return (object?.holds ?? []).flatMap(({ holder, payer }) =>
    payer === undefined ? [holder] : [holder, payer],
  )
}

function holderOf(kind: number, id: Uint8Array): Holder {
  return toHex(concat(Uint8Array.of(kind), id))
}
