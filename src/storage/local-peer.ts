/** The server: what `StoragePeer` promises, decided over a share store. */
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { mapWithin } from '../base/limit.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import type {
  AppendReply,
  AppendRequest,
  LogRequestOptions,
  ReadLogReply,
  ReadLogRequest,
} from '../log/log-peer.ts'
import { publicKeyOf } from '../base/peer-id.ts'
import type {
  Account,
  Credentials,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from './hold-peer.ts'
import { checkCredentialBounds, checkListHolds, checkRelease, checkTouch } from './hold-bounds.ts'
import type { DiskUsage } from './disk-usage.ts'
import type { HoldKeeper, HoldsOptions } from './holds/hold-keeper.ts'
import { KeptHolds, type PeerSweepOptions } from './holds/kept-holds.ts'
import { LogKeeper } from './log-keeper.ts'
import type { LogLimits } from './log-limits.ts'
import type { LogStore } from './log-store.ts'
import { Medium } from './medium.ts'
import {
  type BlocksReply,
  type BlocksRequest,
  maxShareBytes,
  type PeerStatus,
  type PutOutcome,
  type RequestOptions,
  type ShareBody,
  type StorageIndex,
  type StoragePeer,
} from './peer.ts'
import { checkBlocks, checkHave, checkProve, checkPut } from './request-bounds.ts'
import { ShareIntake } from './share-intake.ts'
import type { SweepReport } from './holds/sweeper.ts'
import type { ShareEntry, ShareKey, ShareStore } from './share-store.ts'
import { SpaceReserve } from './space-reserve.ts'
import { proveShare, readBlocks, type StoredShare } from './stored-share.ts'

/** Storage indexes of one `have` that are looked up together. */
const haveConcurrency = 8

export interface LocalPeerOptions {
  /** Peer id. */
  id: string
  /** Where the shares lie; open. */
  store: ShareStore
  clock: Clock
  trace?: Trace
  /** Version of the software, for `status`. */
  software?: string
  /** Bytes of the disk that are kept free; 1 GiB or 5 % of it, whichever is more, unless told. */
  reserveBytes?: number
  /** Logs that are kept for others; none if absent. */
  logs?: KeptLogsOptions
  /** Holds, leases and accounts; none if absent: then all that is put stays. */
  holds?: HoldsOptions
  /** Takes no shares, and no entries of logs. */
  readOnly?: boolean
  /** Puts carried out together; 64 unless told. */
  maxPuts?: number
  /** Puts that may wait for their turn, E_BUSY beyond; 256 unless told. */
  maxWaitingPuts?: number
  /** What its directory takes besides share files; nothing if absent. */
  usage?: Pick<DiskUsage, 'otherBytes'>
  /** Bytes of held shares read through each second on a client's bare word; 256 MiB unless told. */
  proofBytesPerSecond?: number
}

export interface KeptLogsOptions {
  /** Where the logs lie; open. */
  store: LogStore
  /** Seed of the Ed25519 key that `id` names: it signs receipts. */
  seed: Uint8Array
  limits?: Partial<LogLimits>
}

export class LocalPeer implements StoragePeer {
  readonly id: string
  readonly #store: ShareStore
  readonly #software: string
  readonly #clock: Clock
  readonly #space: SpaceReserve
  readonly #proofs: TokenBucket
  readonly #medium: Medium
  readonly #intake: ShareIntake
  readonly #logs: LogKeeper | undefined
  readonly #holds: KeptHolds | undefined
  readonly #usage: Pick<DiskUsage, 'otherBytes'> | undefined

  constructor(options: LocalPeerOptions) {
    const { store, clock, trace = noTrace, proofBytesPerSecond = 2 ** 28 } = options
    this.id = options.id
    this.#clock = clock
    this.#store = store
    this.#usage = options.usage
    this.#software = options.software ?? 'grid'
    this.#space = new SpaceReserve(store, options.reserveBytes)
    this.#proofs = new TokenBucket({
      clock,
      tokensPerSecond: proofBytesPerSecond,
      burst: Math.max(4 * proofBytesPerSecond, maxShareBytes),
    })
    this.#medium = new Medium({ trace, readOnly: options.readOnly ?? false })
    this.#intake = new ShareIntake({
      store,
      space: this.#space,
      proofs: this.#proofs,
      clock,
      trace,
      medium: this.#medium,
      maxPuts: options.maxPuts ?? 64,
      maxWaitingPuts: options.maxWaitingPuts ?? 256,
    })
    const parts = { space: this.#space, medium: this.#medium, clock, trace }
    this.#logs = options.logs && new LogKeeper({ ...parts, ...options.logs })
    this.#holds =
      options.holds &&
      new KeptHolds({
        ...{ ...parts, ...options.holds, id: this.id, serverKey: publicKeyOf(this.id), store },
        checkRevoked: async ({ logId, key }, seq) => this.#logs?.checkRevoked(logId, key, seq),
      })
  }

  async have(
    indexes: readonly StorageIndex[],
    { signal }: RequestOptions = {},
  ): Promise<number[][]> {
    checkHave(indexes)
    return mapWithin(haveConcurrency, indexes, async (index) => {
      // a directory may be long: nobody looks into a thousand of them for one who is gone
      signal?.throwIfAborted()
      return this.#store.list(index)
    })
  }

  async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<PutOutcome> {
    const { shareBytes } = share
    checkPut(storageIndex, shareNumber, shareBytes)
    const keeper = await this.#holds?.keeper()
    const put = await keeper?.admitPut(storageIndex, shareBytes, options)
    let stored = false
    try {
      const outcome = await this.#intake.take({
        storageIndex,
        shareNumber,
        share,
        options,
        by: put?.by,
      })
      stored = true
      await put?.note(shareNumber)
      return outcome
    } finally {
      put?.end(stored)
    }
  }

  async getBlocks(request: BlocksRequest): Promise<BlocksReply> {
    checkBlocks(request)
    const { storageIndex } = request
    const shareNumber = request.shareNumber ?? (await this.#store.list(storageIndex))[0]
    return this.#withShare(storageIndex, shareNumber, (share) => readBlocks(share, request))
  }

  async prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    checkProve(storageIndex, shareNumber, nonce)
    return this.#withShare(storageIndex, shareNumber, (share) => {
      if (this.#proofs.tryTake(share.reader.shareBytes)) return proveShare(share, nonce, options)
      throw new GridError('E_RATE', 'too many proofs asked for')
    })
  }

  async appendEntries(
    request: AppendRequest,
    options: LogRequestOptions = {},
  ): Promise<AppendReply> {
    if (this.#logs !== undefined) return this.#logs.append(request, options)
    throw new GridError('E_FORBIDDEN', 'this server keeps no logs')
  }

  async readLog(request: ReadLogRequest, options: LogRequestOptions = {}): Promise<ReadLogReply> {
    if (this.#logs !== undefined) return this.#logs.read(request, options)
    throw new GridError('E_ABSENT', 'this server keeps no logs')
  }

  /** What it offers: told without looking at what it keeps, however much that is. Throws E_IO. */
  async offer(): Promise<Pick<PeerStatus, 'freeBytes' | 'readOnly' | 'quarantineDays'>> {
    const { readOnly } = this.#medium
    const freeBytes = readOnly ? 0 : await this.#space.freeBytes()
    return { freeBytes, readOnly, quarantineDays: this.#holds?.quarantineDays ?? 0 }
  }

  async status(): Promise<PeerStatus> {
    const totals = await this.#store.totals()
    return {
      ...{ software: this.#software, ...totals, ...(await this.offer()) },
      nowMs: Math.floor(this.#clock.nowMs()),
      quarantinedCount: (await this.#holds?.quarantinedCount()) ?? 0,
      damagedCount: (await this.#store.damaged()).length,
      diskBytes: totals.diskBytes + ((await this.#usage?.otherBytes()) ?? 0),
    }
  }

  async challenge(options: RequestOptions = {}): Promise<Uint8Array> {
    return (await this.#keeper()).challenge(options)
  }

  async enter(credentials: Credentials, options: RequestOptions = {}): Promise<Account> {
    checkCredentialBounds(credentials)
    return (await this.#keeper()).enter(credentials, options)
  }

  async touch(
    indexes: readonly StorageIndex[],
    options: RequestOptions = {},
  ): Promise<TouchOutcome[]> {
    checkTouch(indexes)
    return (await this.#keeper()).touch(indexes, options)
  }

  async renew(indexes: readonly StorageIndex[]): Promise<TouchOutcome[]> {
    checkTouch(indexes)
    return (await this.#keeper()).renew(indexes)
  }

  async listHolds(
    request: ListHoldsRequest,
    options: RequestOptions = {},
  ): Promise<ListHoldsReply> {
    checkListHolds(request)
    return (await this.#keeper()).listHolds(request, options)
  }

  async release(release: SignedRelease, options: RequestOptions = {}): Promise<ReleaseReply> {
    checkRelease(release)
    return (await this.#keeper()).release(release, options)
  }

  /** For whoever rules them. Throws E_FORBIDDEN without holds. */
  get holds(): KeptHolds {
    if (this.#holds !== undefined) return this.#holds
    throw new GridError('E_FORBIDDEN', 'this server keeps no accounts')
  }

  /** Deletes what nobody has held for the time of quarantine: as `KeptHolds.sweep`. Throws E_FORBIDDEN without holds. */
  async sweep(options: PeerSweepOptions = {}): Promise<SweepReport> {
    return this.holds.sweep(options)
  }

  /** All shares that should be here, as its holds say; none without holds. Throws E_IO. */
  async *expectedShares(): AsyncGenerator<ShareKey> {
    if (this.#holds !== undefined) yield* (await this.#holds.keeper()).shares()
  }

  /** Notes that a share was set aside as damaged, so that its holders are told. Throws E_IO. */
  async noteDamaged({ storageIndex, shareNumber, shareBytes }: ShareEntry): Promise<void> {
    if (this.#holds === undefined) return
    await (await this.#holds.keeper()).noteDamaged(storageIndex, shareNumber, shareBytes)
  }

  /** Opens its holds ahead of need, so that no put waits for it. Throws E_FULL, E_IO; they are opened when needed then. */
  async openHolds(): Promise<void> {
    await this.#holds?.keeper()
  }

  /** Serves what is there and takes no more, from now on. */
  stopTaking(): void {
    this.#medium.close()
  }

  /** Ends its work in order; nothing may be asked of it any more. */
  async close(): Promise<void> {
    await this.#holds?.close()
  }

  async #keeper(): Promise<HoldKeeper> {
    return this.holds.keeper()
  }

  async #withShare<T>(
    storageIndex: StorageIndex,
    shareNumber: number | undefined,
    work: (share: StoredShare) => Promise<T>,
  ): Promise<T> {
    const reader =
      shareNumber === undefined ? undefined : await this.#store.read(storageIndex, shareNumber)
    if (reader === undefined || shareNumber === undefined) {
      throw new GridError('E_ABSENT', 'no such share here')
    }
    try {
      return await work({ storageIndex, shareNumber, reader })
    } finally {
      await reader.close()
    }
  }
}
