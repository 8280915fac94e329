/**
 * What one server owes, by what it has acknowledged: the rules of holds in forty lines, without a
 * journal, a disk or a crash. Where the truth cannot be known from outside (a release that was under
 * way as the server died) it owes less.
 */
import { toHex } from '../../../src/base/bytes.ts'
import type { StorageIndex } from '../../../src/storage/peer.ts'
import { dayMs } from './keep-plan.ts'

/** The claim of one holder on one object. */
interface Claim {
  /** The least that the server may have written down, by its own clock. */
  touchedMs: number
  /** When it may have ended, in true time; undefined while it stands. */
  endedMs: number | undefined
  /** When it ends by itself, in true time: a lease. */
  untilMs: number
  /**
   * Whether it is written down for good. What a put has `written` is durable when the same process next
   * makes something durable; `stranded` if that did not come; and may be `lost` with the power.
   */
  state: 'durable' | 'written' | 'stranded' | 'lost'
}

export interface SeenRelease {
  releaseSeq: number
  cutoffMs: number
  indexes: readonly StorageIndex[]
}

export class HoldModel {
  readonly #quarantineMs: number
  /** By storage index, then by holder. */
  readonly #claims = new Map<string, Map<string, Claim>>()
  #lastReleaseSeq = 0

  constructor(quarantineDays: number) {
    this.#quarantineMs = quarantineDays * dayMs
  }

  /** A put was acknowledged that was asked for when the server's clock showed `wallMs`. */
  put(index: StorageIndex, holder: string, wallMs: number, untilMs: number): void {
    this.#hold(index, holder, wallMs, untilMs)
  }

  /**
   * A touch was acknowledged: what this process has written down before it is durable too. It may stand
   * for one of up to an hour before.
   */
  touched(index: StorageIndex, holder: string, wallMs: number, untilMs: number): void {
    const isNew = this.#of(index).get(holder) === undefined
    const restMs = isNew ? 0 : dayMs / 24
    this.#hold(index, holder, wallMs - restMs, untilMs - restMs)
    this.#synced()
  }

  /** The process ended. What was not durable may be lost with the power: shares are nobody's then. */
  ended(power: boolean): void {
    for (const claims of this.#claims.values()) {
      for (const [holder, claim] of claims) {
        if (claim.state === 'written') claim.state = 'stranded'
        if (!power || claim.state !== 'stranded') continue
        claim.state = 'lost'
        // with another's hold known the share is not nobody's
        if (isHeldForGood(claims)) claims.delete(holder)
      }
    }
  }

  /** Renewals were acknowledged: whatever leases stand do so until then. */
  renewed(index: StorageIndex, untilMs: number): void {
    for (const claim of this.#of(index).values()) {
      // what is nobody's may have no date, and what an account knows of too has got one
      if (claim.untilMs < Infinity && claim.state !== 'lost')
        claim.untilMs = Math.max(claim.untilMs, untilMs)
    }
  }

  /** A release that is good was asked for; it may have been carried out at any time from `nowMs` on. */
  releaseAsked({ releaseSeq, cutoffMs, indexes }: SeenRelease, nowMs: number): void {
    if (releaseSeq <= this.#lastReleaseSeq || cutoffMs === 0) return
    for (const index of indexes) {
      const claim = this.#claims.get(toHex(index))?.get('account')
      if (claim !== undefined && claim.touchedMs < cutoffMs) claim.endedMs ??= nowMs
    }
  }

  /** It was acknowledged; one that takes back has given its claims back, where it was not too late. */
  releaseDone({ releaseSeq, cutoffMs, indexes }: SeenRelease, nowMs: number): void {
    if (releaseSeq <= this.#lastReleaseSeq) return
    this.#lastReleaseSeq = releaseSeq
    this.#synced()
    if (cutoffMs !== 0) return
    for (const index of indexes) {
      const claim = this.#claims.get(toHex(index))?.get('account')
      if (claim !== undefined && this.#isOwed(claim, nowMs)) claim.endedMs = undefined
    }
  }

  /**
   * Whether shares of an object must still be there.
   *
   * @param wrongMs - by how much more the server's clock was wrong at one time than at another: leases
   *   are dated by it, and may end so much earlier
   */
  owes(index: StorageIndex, nowMs: number, wrongMs: number): boolean {
    const claims = [...(this.#claims.get(toHex(index))?.values() ?? [])]
    return claims.some((claim) => {
      return this.#isOwed({ ...claim, untilMs: claim.untilMs - wrongMs }, nowMs)
    })
  }

  #hold(index: StorageIndex, holder: string, wallMs: number, untilMs: number): void {
    const claims = this.#of(index)
    const before = claims.get(holder)
    claims.set(holder, {
      touchedMs: Math.max(wallMs, before?.touchedMs ?? 0),
      endedMs: undefined,
      untilMs: Math.max(untilMs, before?.untilMs ?? 0),
      // where something is known already the share would fall back to that: it must be durable at once
      state: isHeldForGood(claims) ? 'durable' : 'written',
    })
    // what is nobody's stays so for a year after an account came to hold it, which no lease outlasts
  }

  #synced(): void {
    for (const claim of this.#each()) if (claim.state === 'written') claim.state = 'durable'
  }

  *#each(): Generator<Claim> {
    for (const claims of this.#claims.values()) yield* claims.values()
  }

  #isOwed(
    { endedMs = Infinity, untilMs }: Pick<Claim, 'endedMs' | 'untilMs'>,
    nowMs: number,
  ): boolean {
    return nowMs < Math.min(endedMs, untilMs) + this.#quarantineMs
  }

  #of(index: StorageIndex): Map<string, Claim> {
    const name = toHex(index)
    const known = this.#claims.get(name)
    if (known !== undefined) return known
    const made = new Map<string, Claim>()
    this.#claims.set(name, made)
    return made
  }
}

function isHeldForGood(claims: ReadonlyMap<string, Claim>): boolean {
  return [...claims.values()].some(({ state }) => state === 'durable')
}
