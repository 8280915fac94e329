/** A server of a run of keeping: shares and holds on a disk, sweeps in their time, and what it owes. */
import { isGridError } from '../../../src/base/errors.ts'
import { readHeader } from '../../../src/log/entry.ts'
import { readRelease } from '../../../src/log/release.ts'
import type { ReleaseReply, SignedRelease, TouchOutcome } from '../../../src/storage/hold-peer.ts'
import type { RequestOptions, StorageIndex, StoragePeer } from '../../../src/storage/peer.ts'
import { altered } from '../altered.ts'
import type { Premises, SimServer } from '../sim-server.ts'
import type { SimRandom } from '../sim-random.ts'
import type { Tally } from '../tally.ts'
import { HoldModel, type SeenRelease } from './hold-model.ts'
import type { KeepOptions } from './keep-plan.ts'
import { dayMs, hourMs } from './keep-plan.ts'
import { type Kept, openKept } from './open-kept.ts'

export interface KeepServerOptions {
  options: KeepOptions
  random: SimRandom
  tally: Tally
  /** True time. */
  nowMs: () => number
  /** By the wall clock of one who is right. */
  wallMs: () => number
  /** Whether who signed it may have things released. */
  isGood: (release: SignedRelease) => boolean
  onEvent: (what: string, facts?: unknown) => void
  onViolation: (what: string) => void
}

/** What the margin of a cutoff bears. */
const maxSkewMs = 20 * hourMs
/** Leases last so long. */
const leaseMs = 365 * dayMs

export class KeepServer {
  readonly model: HoldModel
  readonly #options: KeepServerOptions
  #server: SimServer | undefined
  #kept: Kept | undefined
  /** How far its clock was off, as far as was seen. */
  readonly #skew = { leastMs: Infinity, mostMs: -Infinity }

  constructor(options: KeepServerOptions) {
    this.#options = options
    this.model = new HoldModel(options.options.quarantineDays)
  }

  set server(server: SimServer) {
    this.#server = server
  }

  get server(): SimServer {
    if (this.#server === undefined) throw new RangeError('no server yet')
    return this.#server
  }

  get id(): string {
    return this.server.id
  }

  async open(premises: Premises): Promise<StoragePeer> {
    const { options, random, tally } = this.#options
    const { sweepMs } = options
    const event = (name: string): void => {
      if (name === 'storage.journal-merged') tally.reached('journal: put into one')
      if (name === 'storage.journal-not-merged') tally.add('journal: not put into one')
    }
    const kept = await openKept(premises, options, random, { event })
    this.#kept = kept
    const sweep = (): void => {
      void this.sweep(false)
      premises.clock.after(sweepMs, sweep)
    }
    premises.clock.after(sweepMs, sweep)
    return kept.peer
  }

  /** One run of what deletes; then nothing that is owed may be gone. */
  async sweep(consent: boolean): Promise<void> {
    const { tally, onViolation, onEvent } = this.#options
    const kept = this.#kept
    // a sweep lets go of leases that are over by the clock, also where it deletes nothing
    this.#lookAtClock()
    try {
      const report = await kept?.peer.sweep({ consentShares: consent ? Infinity : 0 })
      if (kept !== this.#kept || report === undefined) return
      const { deletedShares, refusal } = report
      if (deletedShares > 0) {
        tally.add('sweep: deleted', deletedShares)
        onEvent('swept', { deletedShares })
      }
      if (refusal === 'clock') tally.reached('sweep: put off since the clock jumped')
      if (refusal === 'consent') tally.add('sweep: put off for want of consent')
      if (refusal === 'index') tally.add('sweep: put off for the index')
    } catch (error) {
      if (!isGridError(error)) throw error
      tally.add('sweep: failed')
    }
    for (const wrong of this.server.ledger.audit()) onViolation(`I5: after a sweep ${wrong}`)
  }

  /** Reads every share through; what is good stays, and what is not is kept apart. */
  async scrub(): Promise<void> {
    const { tally, onViolation } = this.#options
    const scrubber = this.#kept?.scrubber
    const { ledger } = this.server
    const spoilt = ledger.spoiltNow()
    try {
      scrubber?.force()
      const counts = await scrubber?.pass()
      tally.add('scrub: found damaged', counts?.damaged)
    } catch (error) {
      if (!isGridError(error)) throw error
      tally.add('scrub: failed')
    }
    for (const wrong of ledger.audit()) onViolation(`I5: after a scrub ${wrong}`)
    for (const name of spoilt) {
      if (!ledger.isKeptApart(name)) onViolation(`I5: ${name}, which was damaged, is gone`)
    }
  }

  /** `peer` with a witness to what it acknowledges. */
  witnessed(peer: StoragePeer): StoragePeer {
    const { wallMs, nowMs, tally, isGood } = this.#options
    const { model } = this
    const clockMs = (): number => {
      this.#lookAtClock()
      return wallMs() + this.server.skewMs
    }
    const holderOf = (options: RequestOptions): string =>
      options.account === undefined ? `lease of ${options.client}` : 'account'
    const untilMs = (options: RequestOptions): number =>
      options.account === undefined ? nowMs() + leaseMs : Infinity
    return altered<StoragePeer>(peer, {
      putShare: async (index, number, share, options = {}) => {
        const askedMs = clockMs()
        const outcome = await peer.putShare(index, number, share, options)
        model.put(index, holderOf(options), askedMs, untilMs(options))
        return outcome
      },
      touch: async (indexes, options = {}): Promise<TouchOutcome[]> => {
        const askedMs = clockMs()
        const outcomes = await peer.touch(indexes, options)
        for (const [i, outcome] of outcomes.entries()) {
          tally.add(`touch: ${outcome}`)
          if (outcome !== 'absent')
            model.touched(indexes[i], holderOf(options), askedMs, untilMs(options))
        }
        return outcomes
      },
      renew: async (indexes, options) => {
        clockMs()
        const outcomes = await peer.renew(indexes, options)
        for (const index of indexes) model.renewed(index, nowMs() + leaseMs)
        return outcomes
      },
      release: async (signed, options): Promise<ReleaseReply> => {
        const release = isGood(signed) ? releaseOf(signed) : undefined
        if (release !== undefined) model.releaseAsked(release, nowMs())
        const reply = await peer.release(signed, options)
        if (release !== undefined) model.releaseDone(release, nowMs())
        return reply
      },
    })
  }

  /** Whether its clock was never so wrong that its word on when a share was touched misleads, as far as was seen. */
  get isTrue(): boolean {
    this.#lookAtClock()
    const { leastMs, mostMs } = this.#skew
    return -maxSkewMs <= leastMs && mostMs <= maxSkewMs
  }

  #lookAtClock(): void {
    const { skewMs } = this.server
    this.#skew.leastMs = Math.min(this.#skew.leastMs, skewMs)
    this.#skew.mostMs = Math.max(this.#skew.mostMs, skewMs)
  }

  owes(index: StorageIndex): boolean {
    this.#lookAtClock()
    const { leastMs, mostMs } = this.#skew
    return this.model.owes(index, this.#options.nowMs(), mostMs - leastMs)
  }
}

function releaseOf(signed: SignedRelease): SeenRelease {
  readHeader(signed)
  const { releaseSeq, cutoffMs, storageIndexes } = readRelease(signed.body)
  return { releaseSeq, cutoffMs, indexes: storageIndexes }
}
