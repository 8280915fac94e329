/**
 * What accounts may still be charged (docs/specs/holds.md, "Quota"). Bytes are reserved before they are
 * taken, in one step with the look at what is used: so however many ask at once, a quota is never
 * exceeded, and one device cannot use up what is kept for the others.
 */
import { equalBytes, toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { RateWindow } from '../../log/rate-window.ts'
import type { Admission, Standing } from './admission.ts'
import type { Session } from './entrance.ts'
import { accountHolder, accountOf, chargeOf } from './held-object.ts'
import type { HoldReader } from './hold-index.ts'

/** Of a quota, what a device may use that has put more than as much of late. */
const keptForOthers = 1 / 10
/** Devices whose puts are remembered: those of the ones that were not heard of for longest are forgotten. */
const maxDevices = 16_384

export class Quota {
  readonly #admission: Admission
  readonly #index: HoldReader
  readonly #clock: Clock
  /** Bytes under way, by the hex of the payer. */
  readonly #reserved = new Map<string, number>()
  /** What devices have put of late, by the hex of log id and key. */
  readonly #devices = new Map<string, RateWindow>()

  constructor(options: { admission: Admission; index: HoldReader; clock: Clock }) {
    this.#admission = options.admission
    this.#index = options.index
    this.#clock = options.clock
  }

  /** How an account stands. Throws E_FORBIDDEN for one that is not admitted. */
  standingOf({ client, logId }: Session): Standing {
    const standing = this.#admission.standing(client === '' ? undefined : client, logId)
    if (standing.admitted) return standing
    throw new GridError('E_FORBIDDEN', 'this account is not admitted here')
  }

  /** As `standingOf`, for something new that it wants to hold. Throws E_FORBIDDEN after its contract's end. */
  writableStandingOf(session: Session): Standing {
    const standing = this.standingOf(session)
    if (this.#clock.nowMs() < (standing.readOnlyAfterMs ?? Infinity)) return standing
    throw new GridError('E_FORBIDDEN', 'the contract of this account has ended: it may only read')
  }

  /** Bytes charged to all accounts of the payer. */
  usedBytes(session: Session, standing: Standing, index: HoldReader = this.#index): number {
    const { payer } = standing
    const isOwn = payer === undefined || accountHolder(payer) === session.holder
    if (isOwn) return index.totals(session.holder).chargedBytes
    let sum = 0
    for (const holder of index.holders()) {
      const logId = accountOf(holder)
      const other = logId && this.#admission.standing(undefined, logId).payer
      if (other !== undefined && equalBytes(other, payer)) sum += index.totals(holder).chargedBytes
    }
    return sum
  }

  /**
   * Sets aside what a share of `shareBytes` will be charged, and counts it among what the device has
   * put. Returns the function that ends it, to be called once the charge is in the index, or nothing
   * came of it. Throws E_FORBIDDEN, E_FULL, E_RATE.
   */
  reservePut(session: Session, shareBytes: number): (stored: boolean) => void {
    const chargeBytes = chargeOf(shareBytes)
    const standing = this.writableStandingOf(session)
    this.#checkDevice(session, standing, chargeBytes)
    const end = this.#reserve(session, standing, chargeBytes)
    return (stored) => {
      if (stored) this.#windowOf(session).add(chargeBytes, this.#clock.nowMs())
      end()
    }
  }

  /** Throws E_FULL unless `chargeBytes` more fit, those under way counted. Nothing may wait between this and the change. */
  checkRoom(session: Session, standing: Standing, chargeBytes: number, index: HoldReader): void {
    const { quotaBytes } = standing
    if (quotaBytes === undefined || chargeBytes === 0) return
    const used = this.usedBytes(session, standing, index)
    const reserved = this.#reserved.get(keyOf(standing, session)) ?? 0
    if (used + reserved + chargeBytes > quotaBytes) {
      throw new GridError('E_FULL', 'the quota of this account is used up here')
    }
  }

  #reserve(session: Session, standing: Standing, chargeBytes: number): () => void {
    this.checkRoom(session, standing, chargeBytes, this.#index)
    const key = keyOf(standing, session)
    this.#reserved.set(key, (this.#reserved.get(key) ?? 0) + chargeBytes)
    return () => {
      const left = this.#reserved.get(key)! - chargeBytes
      if (left > 0) this.#reserved.set(key, left)
      else this.#reserved.delete(key)
    }
  }

  /** What its certificate allows in 30 days, and of a quota nearly used up what is kept for others. */
  #checkDevice(session: Session, standing: Standing, chargeBytes: number): void {
    const { certificate } = session
    if (certificate === undefined) return
    const window = this.#windowOf(session)
    const nowMs = this.#clock.nowMs()
    const { bytesPer30Days } = certificate.limits
    const within = (bytes: number): boolean =>
      window.hasRoom({ bytesPer30Days: bytes, entriesPerDay: Infinity }, chargeBytes, nowMs)
    if (!within(bytesPer30Days)) {
      throw new GridError('E_RATE', 'this device has put as much as its certificate allows')
    }
    const { quotaBytes } = standing
    if (quotaBytes === undefined) return
    const kept = Math.floor(quotaBytes * keptForOthers)
    if (within(kept)) return
    this.checkRoom(session, standing, chargeBytes + kept, this.#index)
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

function keyOf({ payer }: Standing, { logId }: Session): string {
  return toHex(payer ?? logId)
}
