/** A server's own peer, with a witness to every share and entry that it says it has stored, or refuses. */
import type { Clock } from '../../src/base/clock.ts'
import type { AppendReply, AppendRequest, LogRequestOptions } from '../../src/log/log-peer.ts'
import type {
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from '../../src/storage/peer.ts'
import { askPeer, type Call, type Reply, type StorageVerb } from '../../src/storage/verbs.ts'
import { WrappingPeer } from '../../src/storage/wrapping-peer.ts'
import { signedEntryOf, type SignedEntry } from './logs/log-truth.ts'

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

export class WitnessPeer extends WrappingPeer {
  override readonly id: string
  readonly #peer: StoragePeer
  readonly #options: WitnessOptions
  /** Puts under way. */
  puts = 0

  constructor(options: WitnessOptions) {
    super()
    this.id = options.peer.id
    this.#peer = options.peer
    this.#options = options
  }

  override async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome> {
    const askedMs = this.#options.clock.monotonicMs()
    this.#options.onAsked(this.puts === 0)
    this.puts++
    try {
      const outcome = await super.putShare(storageIndex, shareNumber, share, options)
      this.#options.onStored(storageIndex, shareNumber, { askedMs, outcome })
      return outcome
    } catch (error) {
      this.#options.onRefused(error)
      throw error
    } finally {
      this.puts--
    }
  }

  override async appendEntries(
    request: AppendRequest,
    options?: LogRequestOptions,
  ): Promise<AppendReply> {
    const entries = request.entries.map(({ header }) => header.slice())
    const logId = request.logId.slice()
    const reply = await super.appendEntries(request, options)
    for (const [i, verdict] of reply.verdicts.entries()) {
      if (verdict.outcome !== 'stored' && verdict.outcome !== 'had') continue
      this.#options.onAppended(signedEntryOf(logId, entries[i], verdict))
    }
    return reply
  }

  protected ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    return askPeer(this.#peer, call)
  }
}
