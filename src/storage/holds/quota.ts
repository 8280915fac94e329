/**
 * What members of the grid may still be charged (docs/specs/holds.md, "Quota"). Bytes are reserved before
 * they are taken, in one step with the look at what is used: so however many ask at once, a quota is
 * never exceeded, and one device cannot use up what is kept for the others.
 */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { RateWindow } from '../../log/rate-window.ts'
import type { Terms } from '../admission.ts'
import type { Session } from './entrance.ts'
import { chargeOf, type HeldObject, type Holder, payerHolder } from './held-object.ts'
import type { HoldReader } from './hold-index.ts'

/** Of a quota, what a device may not use that has put more than as much in 30 days. */
const keptForOthers = 1 / 10
/** Devices whose puts are remembered: those that were not heard of for longest are forgotten. */
const maxDevices = 16_384

/** What a device has put, and what it puts now. */
interface Device {
  readonly window: RateWindow
  underWayBytes: number
}

/** A share that is to be put. */
export interface PutCharge {
  shareBytes: number
  /** What is known of its object, if anything. */
  object: HeldObject | undefined
  /** Who will hold it. */
  holder: Holder
}

export class Quota {
  readonly #index: HoldReader
  readonly #clock: Clock
  /** Bytes under way, by payer. */
  readonly #reserved = new Map<Holder, number>()
  /** What devices have put of late, by the hex of log id and key. */
  readonly #devices = new Map<string, Device>()

  constructor(options: { index: HoldReader; clock: Clock }) {
    this.#index = options.index
    this.#clock = options.clock
  }

  /**
   * Sets aside what will be charged for a put, and counts it among what the device has put. Returns what
   * ends it, to be called once the charge is in the index, or nothing came of it. Throws E_FULL, E_RATE.
   */
  reservePut(
    session: Session | undefined,
    terms: Terms,
    put: PutCharge,
  ): (stored: boolean) => void {
    const putBytes = chargeOf(put.shareBytes)
    const chargeBytes = chargeOfPut(put, terms)
    const device = session && this.#deviceOf(session)
    if (session !== undefined && device !== undefined) {
      this.#checkDevice(session, device, terms, { putBytes, chargeBytes })
    }
    this.checkRoom(terms, chargeBytes)
    const end = this.#reserve(terms, chargeBytes)
    if (device !== undefined) device.underWayBytes += putBytes
    return (stored) => {
      end()
      if (device === undefined) return
      device.underWayBytes -= putBytes
      if (stored) device.window.add(putBytes, this.#clock.nowMs())
    }
  }

  /** Throws E_FULL unless `chargeBytes` more fit, those under way counted. Nothing may wait between this and the change. */
  checkRoom(
    { payer, quotaBytes }: Terms,
    chargeBytes: number,
    index: HoldReader = this.#index,
  ): void {
    if (payer === undefined || quotaBytes === undefined || chargeBytes === 0) return
    const holder = payerHolder(payer)
    const usedBytes = index.totals(holder).chargedBytes + (this.#reserved.get(holder) ?? 0)
    if (usedBytes + chargeBytes <= quotaBytes) return
    throw new GridError('E_FULL', 'the quota of this member is used up here')
  }

  #reserve({ payer }: Terms, chargeBytes: number): () => void {
    if (payer === undefined) return () => {}
    const holder = payerHolder(payer)
    this.#reserved.set(holder, (this.#reserved.get(holder) ?? 0) + chargeBytes)
    return () => {
      const left = this.#reserved.get(holder)! - chargeBytes
      if (left > 0) this.#reserved.set(holder, left)
      else this.#reserved.delete(holder)
    }
  }

  /** What its certificate allows in 30 days, and of a quota nearly used up what is kept for others. */
  #checkDevice(
    { certificate }: Session,
    { window, underWayBytes }: Device,
    terms: Terms,
    { putBytes, chargeBytes }: { putBytes: number; chargeBytes: number },
  ): void {
    if (certificate === undefined) return
    const nowMs = this.#clock.nowMs()
    const isWithin = (bytesPer30Days: number): boolean => {
      const limits = { bytesPer30Days, entriesPerDay: Infinity }
      return window.hasRoom(limits, underWayBytes + putBytes, nowMs)
    }
    if (!isWithin(certificate.limits.bytesPer30Days)) {
      throw new GridError('E_RATE', 'this device has put as much as its certificate allows')
    }
    if (terms.quotaBytes === undefined) return
    const keptBytes = Math.floor(terms.quotaBytes * keptForOthers)
    if (!isWithin(keptBytes)) this.checkRoom(terms, chargeBytes + keptBytes)
  }

  #deviceOf({ logId, key }: Session): Device {
    const name = toHex(logId) + toHex(key)
    const device = this.#devices.get(name) ?? { window: new RateWindow(), underWayBytes: 0 }
    this.#devices.delete(name)
    this.#devices.set(name, device)
    if (this.#devices.size > maxDevices) this.#devices.delete(this.#devices.keys().next().value!)
    return device
  }
}

/**
 * What the payer is charged more by a put: for each of its holds of the object the share, and all that
 * is here of it where it does not pay for that holder yet.
 */
function chargeOfPut({ shareBytes, object, holder }: PutCharge, { payer }: Terms): number {
  const paying = payer && payerHolder(payer)
  const paid = object?.holds.filter((hold) => hold.payer === paying) ?? []
  const isNew = !paid.some((hold) => hold.holder === holder)
  const holds = paid.length + (isNew ? 1 : 0)
  return holds * chargeOf(shareBytes) + (isNew ? (object?.chargedBytes ?? 0) : 0)
}
