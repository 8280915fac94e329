/** What keeps shares alive at a server: what `HoldPeer` promises, decided over an index and a journal (docs/specs/holds.md). */
import { sleep } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type {
  Account,
  Credentials,
  ListedHold,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from '../hold-peer.ts'
import { type Admission, openAdmission, type Terms, type Wish } from '../admission.ts'
import type { RequestOptions, StorageIndex } from '../request.ts'
import type { ShareKey } from '../share-store.ts'
import { type AccountKey, mayDo } from './credentials.ts'
import { Entrance, type Session } from './entrance.ts'
import { clientHolder, holdOf, isLease, nobody, payerHolder, withDamaged } from './held-object.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldJournal } from './hold-journal.ts'
import { HoldLedger, type LedgerParts } from './hold-ledger.ts'
import { HoldRates } from './hold-rates.ts'
import { purgePayer, type PurgeOptions, type PurgeReport } from './purge.ts'
import { keepForPut, notePut } from './put-holds.ts'
import { QuarantineCount } from './quarantine-count.ts'
import { Quota } from './quota.ts'
import { Releases } from './releases.ts'
import { walkShares } from './share-walk.ts'
import { ClockWatch, type SweepMemory } from './sweep-memory.ts'
import { Sweeper, type SweepOptions, type SweepReport } from './sweeper.ts'
import { type Claim, renew, touch } from './touches.ts'

/** Where holds are kept, open. */
export interface OpenHolds {
  index: HoldIndex
  journal: HoldJournal
  memory: SweepMemory
}

export interface HoldsOptions {
  /** Opens them, when they are first needed: many commands never do. */
  open: () => Promise<OpenHolds>
  random: Random
  /** Whom it keeps data for; everyone, without a bound, unless told. */
  admission?: Admission
  /** Of a lease, from each touch and renewal; 365 unless told. */
  leaseDays?: number
  /** How long what nobody holds any more is kept: `quarantineDaysOf`. */
  quarantineDays?: number
  /** How far the clock may go, unmeasured, between two sweeps, as over a restart; 1 unless told. */
  believedDays?: number
}

export interface HoldKeeperOptions
  extends Omit<HoldsOptions, 'open'>, Omit<LedgerParts, keyof OpenHolds> {
  quarantineDays: number
  /** Peer id of the server. */
  id: string
  /** Its Ed25519 public key, by which releases may name it; undefined where none can. */
  serverKey: Uint8Array | undefined
  /** Throws E_REVOKED for a key whose revocation is known here, unless entry `seq` of it still counts. */
  checkRevoked?: (key: AccountKey, seq: number | undefined) => Promise<void>
}

/** A put that may go on. */
export interface AdmittedPut {
  /** Peer id of who puts it; undefined within the process, where nobody is told apart. */
  by: string | undefined
  /** To be called once the share is stored, or was had. Throws as `notePut` does. */
  note(shareNumber: number): Promise<void>
  /** To be called once it is noted, or has come to nothing. */
  end(stored: boolean): void
}

const minQuarantineDays = 14
const defaultQuarantineDays = 30
const defaultLeaseDays = 365
const dayMs = 24 * 3600 * 1000
/** Objects of the index that are looked at together. */
const pageObjects = 256

/** 30 unless told, and 14 at least. */
export function quarantineDaysOf({ quarantineDays = defaultQuarantineDays }: HoldsOptions): number {
  return Math.max(quarantineDays, minQuarantineDays)
}

export class HoldKeeper {
  readonly #leaseMs: number
  readonly #admission: Admission
  readonly #ledger: HoldLedger
  readonly #options: HoldKeeperOptions
  readonly #entrance: Entrance
  readonly #quota: Quota
  readonly #releases: Releases
  readonly #quarantine: QuarantineCount
  readonly #sweeper: Sweeper
  readonly #rates: HoldRates

  private constructor(options: HoldKeeperOptions, ledger: HoldLedger, memory: SweepMemory) {
    const { clock, random, id, serverKey, admission = openAdmission } = options
    const {
      leaseDays = defaultLeaseDays,
      believedDays = 1,
      checkRevoked = async () => {},
    } = options
    const { index } = ledger
    this.#options = options
    this.#admission = admission
    this.#leaseMs = leaseDays * dayMs
    this.#ledger = ledger
    this.#entrance = new Entrance({
      ...{ id, clock, random },
      checkRevoked: (key) => checkRevoked(key, undefined),
    })
    this.#quota = new Quota({ index, clock })
    this.#releases = new Releases({ ledger: this.#ledger, serverKey, checkRevoked })
    this.#quarantine = new QuarantineCount(index, clock)
    this.#sweeper = new Sweeper({
      ...{ ledger, store: options.store, trace: options.trace },
      clockWatch: new ClockWatch({ clock, memory, believedMs: believedDays * dayMs }),
      quarantineMs: options.quarantineDays * dayMs,
    })
    this.#rates = new HoldRates(clock)
  }

  /** Throws E_FULL, E_IO. */
  static async open(options: HoldKeeperOptions, holds: OpenHolds): Promise<HoldKeeper> {
    return new HoldKeeper(options, await HoldLedger.open({ ...options, ...holds }), holds.memory)
  }

  async challenge(options: RequestOptions): Promise<Uint8Array> {
    return this.#entrance.challenge(options)
  }

  async enter(credentials: Credentials, options: RequestOptions): Promise<Account> {
    const { token, session } = await this.#entrance.enter(credentials, options)
    const { payer, quotaBytes } = this.#termsOf('read', options, session)
    const { index } = this.#ledger
    const own = index.totals(session.holder)
    const paid = payer === undefined ? own : index.totals(payerHolder(payer))
    const { damagedCount } = own
    return { token, usedBytes: paid.chargedBytes, quotaBytes, damagedCount }
  }

  async touch(indexes: readonly StorageIndex[], options: RequestOptions): Promise<TouchOutcome[]> {
    const session = await this.#sessionFor(options, 'put', 'renew', 'release')
    this.#rates.takeTouches(indexes.length)
    const terms = this.#termsOf('write', options, session)
    return touch(this.#ledger, indexes, this.#claimOf(session, options, terms))
  }

  async renew(indexes: readonly StorageIndex[]): Promise<TouchOutcome[]> {
    const { index } = this.#ledger
    const leases = indexes.map((each) => index.object(each)?.holds.filter(isLease).length ?? 0)
    this.#rates.takeTouches(leases.reduce((sum, count) => sum + Math.max(count, 1), 0))
    return renew(this.#ledger, indexes, this.#leaseMs)
  }

  async listHolds(request: ListHoldsRequest, options: RequestOptions): Promise<ListHoldsReply> {
    const session = await this.#entrance.sessionOf(options)
    if (session === undefined) throw new GridError('E_FORBIDDEN', 'enter an account first')
    const { holder } = session
    const { limit, which } = request
    const holds: ListedHold[] = []
    let { after } = request
    for (;;) {
      const left = limit - holds.length
      if (!this.#rates.tryTakePage(left)) {
        if (holds.length > 0) return { holds, complete: false }
        throw new GridError('E_RATE', 'too many lists of holds')
      }
      const page = this.#ledger.index.page({ after, limit: left, holder })
      for (const { storageIndex, object } of page.objects) {
        const { touchedMs, releasedMs } = holdOf(object, holder)!
        const isAsked = which === 'damaged' ? object.damaged.length > 0 : releasedMs === 0
        if (isAsked) holds.push({ storageIndex, touchedMs, chargedBytes: object.chargedBytes })
      }
      if (page.complete || holds.length === limit) return { holds, complete: page.complete }
      after = page.objects.at(-1)?.storageIndex
      await sleep(this.#options.clock, 0)
    }
  }

  async release(signed: SignedRelease, { signal }: RequestOptions = {}): Promise<ReleaseReply> {
    this.#rates.takeRelease()
    return this.#releases.carryOut(signed, { ...(signal && { signal }) })
  }

  /**
   * Who will hold a share that is put now, and what it will be charged, set aside: before its body is
   * taken. Throws E_FORBIDDEN, E_FULL, E_RATE, E_IO.
   */
  async admitPut(
    storageIndex: StorageIndex,
    shareBytes: number,
    options: RequestOptions,
  ): Promise<AdmittedPut> {
    const session = await this.#sessionFor(options, 'put')
    const terms = this.#termsOf('write', options, session)
    const claim = this.#claimOf(session, options, terms)
    const { holder } = claim
    const object = this.#ledger.index.object(storageIndex)
    const end = this.#quota.reservePut(session, terms, { shareBytes, object, holder })
    try {
      await keepForPut(this.#ledger, storageIndex, claim)
    } catch (error) {
      end(false)
      throw error
    }
    const note = (shareNumber: number): Promise<void> =>
      notePut(this.#ledger, { storageIndex, shareNumber, shareBytes }, claim)
    // not the account: accounts cost nothing to make
    return { by: options.client, note, end }
  }

  /** Shares that nobody holds any more, as they were counted last. */
  quarantinedCount(): Promise<number> {
    return this.#quarantine.count(this.#ledger.now())
  }

  /** Tells the index of all shares, if it may not know them. Throws E_READ_ONLY, E_FULL, E_IO, the signal's reason. */
  async walk(options: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#ledger.index.isComplete) return
    await walkShares(this.#ledger, this.#options.store, options)
  }

  /** All shares that should be here, ascending; none that are being deleted, or were set aside. */
  async *shares(): AsyncGenerator<ShareKey> {
    for (let after: StorageIndex | undefined; ;) {
      const { objects, complete } = this.#ledger.index.page({ after, limit: pageObjects })
      for (const { storageIndex, object } of objects) {
        if (object.leavingMs > 0) continue
        for (const shareNumber of object.shares) yield { storageIndex, shareNumber }
      }
      after = objects.at(-1)?.storageIndex ?? after
      if (complete) return
    }
  }

  /** Deletes what is due: as `Sweeper.sweep`. */
  sweep(options: SweepOptions = {}): Promise<SweepReport> {
    return this.#sweeper.sweep(options)
  }

  /** When a sweep looked last; wall time in ms, undefined for never. Throws E_IO. */
  sweptMs(): Promise<number | undefined> {
    return this.#sweeper.lastMs()
  }

  /**
   * Ends all holds that a member pays for whose time was over 90 days ago, as far as admission knows. Throws
   * as `purgePayer` does.
   */
  purge(payer: Uint8Array, options: PurgeOptions): Promise<PurgeReport> {
    const terms = this.#admission.termsOf(payer)
    const nowMs = Math.floor(this.#options.clock.nowMs())
    return purgePayer(this.#ledger, { payer, terms, nowMs }, options)
  }

  /** Notes that a share was taken out of service. Throws E_IO. */
  async noteDamaged(storageIndex: StorageIndex, shareNumber: number, bytes: number): Promise<void> {
    await this.#ledger.begin()
    await this.#ledger.index.change((writer) => {
      const object = writer.object(storageIndex)
      if (object === undefined) return
      writer.setObject(storageIndex, withDamaged(object, shareNumber, bytes))
    })
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.#ledger.close()
  }

  /** On whose account it is asked, if on one's; that key must have any of these rights. Throws E_FORBIDDEN, E_REVOKED. */
  async #sessionFor(
    options: RequestOptions,
    ...anyOf: Parameters<typeof mayDo>[1][]
  ): Promise<Session | undefined> {
    const session = await this.#entrance.sessionOf(options)
    if (session === undefined || mayDo(session, ...anyOf)) return session
    throw new GridError('E_FORBIDDEN', 'this key has no right to hold anything')
  }

  /** Throws why who asks is not admitted. */
  #termsOf(wish: Wish, { client }: RequestOptions, session: Session | undefined): Terms {
    const verdict = this.#admission.admit(client, wish, session?.logId)
    if (verdict.admitted) return verdict
    throw verdict.why
  }

  #claimOf(session: Session | undefined, { client }: RequestOptions, terms: Terms): Claim {
    const checkRoom: Claim['checkRoom'] = (chargeBytes, index) =>
      this.#quota.checkRoom(terms, chargeBytes, index)
    const payer = terms.payer && payerHolder(terms.payer)
    if (session !== undefined) {
      return { holder: session.holder, payer, expiresMs: 0, checkRoom }
    }
    // within the process nobody is told apart
    if (client === undefined) return { holder: nobody, payer: undefined, expiresMs: 0, checkRoom }
    const expiresMs = this.#ledger.now() + this.#leaseMs
    return { holder: clientHolder(client), payer, expiresMs, checkRoom }
  }
}
