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
import { chargeOf, type Holder, payerHolder } from './held-object.ts'
import type { HoldReader } from './hold-index.ts'

/** Of a quota, what a device may not use that has put more than as much in 30 days. */
const keptForOthers = 1 / 10
/** Devices whose puts are remembered: those that were not heard of for longest are forgotten. */
const maxDevices = 16_384

export class Quota {
  readonly #index: HoldReader
  readonly #clock: Clock
  /** Bytes under way, by payer. */
  readonly #reserved = new Map<Holder, number>()
  /** What devices have put of late, by the hex of log id and key. */
  readonly #devices = new Map<string, RateWindow>()

  constructor(options: { index: HoldReader; clock: Clock }) {
    this.#index = options.index
    this.#clock = options.clock
  }

  /**
   * Sets aside what a share of `shareBytes` will be charged, and counts it among what the device has
   * put. Returns what ends it, to be called once the charge is in the index, or nothing came of it.
   * Throws E_FULL, E_RATE.
   */
  reservePut(
    session: Session | undefined,
    terms: Terms,
    shareBytes: number,
  ): (stored: boolean) => void {
    const chargeBytes = chargeOf(shareBytes)
    if (session !== undefined) this.#checkDevice(session, terms, chargeBytes)
    this.checkRoom(terms, chargeBytes)
    const end = this.#reserve(terms, chargeBytes)
    return (stored) => {
      if (stored && session !== undefined) {
        this.#windowOf(session).add(chargeBytes, this.#clock.nowMs())
      }
      end()
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
  #checkDevice(session: Session, terms: Terms, chargeBytes: number): void {
    const { certificate } = session
    if (certificate === undefined) return
    const window = this.#windowOf(session)
    const nowMs = this.#clock.nowMs()
    const isWithin = (bytesPer30Days: number): boolean =>
      window.hasRoom({ bytesPer30Days, entriesPerDay: Infinity }, chargeBytes, nowMs)
    if (!isWithin(certificate.limits.bytesPer30Days)) {
      throw new GridError('E_RATE', 'this device has put as much as its certificate allows')
    }
    if (terms.quotaBytes === undefined) return
    const keptBytes = Math.floor(terms.quotaBytes * keptForOthers)
    if (!isWithin(keptBytes)) this.checkRoom(terms, chargeBytes + keptBytes)
  }

  #windowOf({ logId, key }: Session): RateWindow {
    const name = toHex(logId) + toHex(key)
    const window = this.#devices.get(name) ?? new RateWindow()
    this.#devices.delete(name)
    this.#devices.set(name, window)
    if (this.#devices.size > maxDevices) this.#devices.delete(this.#devices.keys().next().value!)
    return window
  }
}
