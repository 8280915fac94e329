/**
 * A server spoken to without a network, as the folders of an embedded grid are: calls go straight
 * to the peer that runs there now, fail when it dies, and are given up after a while.
 */
import type { Clock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
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

/** A server, as those see it who share a process with it. */
export interface DirectServer {
  readonly id: string
  /** The peer that runs there, if one does. */
  readonly peer: StoragePeer | undefined
  /** Calls `action` when the process that runs now ends, unless the function returned is called before. */
  onceDead(action: () => void): () => void
}

const deadlineMs = 120_000

export class DirectPeer implements StoragePeer {
  readonly #server: DirectServer
  readonly #clock: Clock

  readonly #client: string | undefined

  /** @param client - peer id of who asks, for servers that want to know */
  constructor(server: DirectServer, clock: Clock, client?: string) {
    this.#server = server
    this.#clock = clock
    this.#client = client
  }

  get id(): string {
    return this.#server.id
  }

  have(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<number[][]> {
    return this.#ask(options, (peer, given) => peer.have(indexes, given))
  }

  putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome> {
    return this.#ask(options, (peer, given) =>
      peer.putShare(storageIndex, shareNumber, share, given),
    )
  }

  getBlocks(request: BlocksRequest, options?: RequestOptions): Promise<BlocksReply> {
    return this.#ask(options, (peer, given) => peer.getBlocks(request, given))
  }

  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options?: RequestOptions,
  ): Promise<Uint8Array> {
    return this.#ask(options, (peer, given) => peer.prove(storageIndex, shareNumber, nonce, given))
  }

  status(options?: RequestOptions): Promise<PeerStatus> {
    return this.#ask(options, (peer, given) => peer.status(given))
  }

  appendEntries(request: AppendRequest, options?: LogRequestOptions): Promise<AppendReply> {
    return this.#ask(options, (peer, given) => peer.appendEntries(request, given))
  }

  readLog(request: ReadLogRequest, options?: LogRequestOptions): Promise<ReadLogReply> {
    return this.#ask(options, (peer, given) => peer.readLog(request, given))
  }

  challenge(options?: RequestOptions): Promise<Uint8Array> {
    return this.#ask(options, (peer, given) => peer.challenge(given))
  }

  enter(credentials: Credentials, options?: RequestOptions): Promise<Account> {
    return this.#ask(options, (peer, given) => peer.enter(credentials, given))
  }

  touch(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#ask(options, (peer, given) => peer.touch(indexes, given))
  }

  renew(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#ask(options, (peer, given) => peer.renew(indexes, given))
  }

  listHolds(request: ListHoldsRequest, options?: RequestOptions): Promise<ListHoldsReply> {
    return this.#ask(options, (peer, given) => peer.listHolds(request, given))
  }

  release(release: SignedRelease, options?: RequestOptions): Promise<ReleaseReply> {
    return this.#ask(options, (peer, given) => peer.release(release, given))
  }

  #ask<T>(
    options: RequestOptions | undefined,
    call: (peer: StoragePeer, given: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const { peer } = this.#server
    return new Promise<T>((resolve, reject) => {
      if (peer === undefined) return reject(new GridError('E_UNREACHABLE', 'it does not run'))
      const onAbort = (): void => reject(options?.signal?.reason as Error)
      if (options?.signal?.aborted === true) return onAbort()
      options?.signal?.addEventListener('abort', onAbort, { once: true })
      const forget = this.#server.onceDead(() => reject(new GridError('E_CLOSED', 'it died')))
      const cancel = this.#clock.after(deadlineMs, () =>
        reject(new GridError('E_TIMEOUT', 'no answer')),
      )
      call(peer, this.#client === undefined ? { ...options } : { ...options, client: this.#client })
        .then(resolve, reject)
        .finally(() => {
          cancel()
          forget()
          options?.signal?.removeEventListener('abort', onAbort)
        })
    })
  }
}
