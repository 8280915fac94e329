/** A server's own peer, with a witness to every share and entry that it says it has stored, or refuses. */
import type { Clock } from '../../src/base/clock.ts'
import type {
  AppendReply,
  AppendRequest,
  LogRequestOptions,
  ReadLogReply,
  ReadLogRequest,
} from '../../src/log/log-peer.ts'
import type {
  Account,
  Credentials,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from '../../src/storage/hold-peer.ts'
import { signedEntryOf, type SignedEntry } from './logs/log-truth.ts'
import type {
  BlocksReply,
  BlocksRequest,
  PeerStatus,
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from '../../src/storage/peer.ts'

export interface WitnessOptions {
  peer: StoragePeer
  clock: Clock
  /** A put begins; `isFirst`: while no other is under way. */
  onAsked: (isFirst: boolean) => void
  /** `askedMs` is when the put began. */
  onStored: (
    storageIndex: StorageIndex,
    shareNumber: number,
    put: { askedMs: number; outcome: PutOutcome },
  ) => void
  onRefused: (error: unknown) => void
  /** An entry for which a receipt is given now; `late` is undefined where it was held before. */
  onAppended: (entry: SignedEntry) => void
}

export class WitnessPeer implements StoragePeer {
  readonly id: string
  readonly #peer: StoragePeer
  readonly #options: WitnessOptions
  /** Puts under way. */
  puts = 0

  constructor(options: WitnessOptions) {
    this.id = options.peer.id
    this.#peer = options.peer
    this.#options = options
  }

  async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome> {
    const askedMs = this.#options.clock.monotonicMs()
    this.#options.onAsked(this.puts === 0)
    this.puts++
    try {
      const outcome = await this.#peer.putShare(storageIndex, shareNumber, share, options)
      this.#options.onStored(storageIndex, shareNumber, { askedMs, outcome })
      return outcome
    } catch (error) {
      this.#options.onRefused(error)
      throw error
    } finally {
      this.puts--
    }
  }

  have(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<number[][]> {
    return this.#peer.have(indexes, options)
  }

  getBlocks(request: BlocksRequest, options?: RequestOptions): Promise<BlocksReply> {
    return this.#peer.getBlocks(request, options)
  }

  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options?: RequestOptions,
  ): Promise<Uint8Array> {
    return this.#peer.prove(storageIndex, shareNumber, nonce, options)
  }

  status(options?: RequestOptions): Promise<PeerStatus> {
    return this.#peer.status(options)
  }

  challenge(options?: RequestOptions): Promise<Uint8Array> {
    return this.#peer.challenge(options)
  }

  enter(credentials: Credentials, options?: RequestOptions): Promise<Account> {
    return this.#peer.enter(credentials, options)
  }

  touch(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#peer.touch(indexes, options)
  }

  renew(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#peer.renew(indexes, options)
  }

  listHolds(request: ListHoldsRequest, options?: RequestOptions): Promise<ListHoldsReply> {
    return this.#peer.listHolds(request, options)
  }

  release(release: SignedRelease, options?: RequestOptions): Promise<ReleaseReply> {
    return this.#peer.release(release, options)
  }

  async appendEntries(request: AppendRequest, options?: LogRequestOptions): Promise<AppendReply> {
    const entries = request.entries.map(({ header }) => header.slice())
    const logId = request.logId.slice()
    const reply = await this.#peer.appendEntries(request, options)
    for (const [i, verdict] of reply.verdicts.entries()) {
      if (verdict.outcome !== 'stored' && verdict.outcome !== 'had') continue
      this.#options.onAppended(signedEntryOf(logId, entries[i], verdict))
    }
    return reply
  }

  readLog(request: ReadLogRequest, options?: LogRequestOptions): Promise<ReadLogReply> {
    return this.#peer.readLog(request, options)
  }
}
