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

  constructor(server: DirectServer, clock: Clock) {
    this.#server = server
    this.#clock = clock
  }

  get id(): string {
    return this.#server.id
  }

  have(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<number[][]> {
    return this.#ask(options, (peer) => peer.have(indexes, options))
  }

  putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options?: RequestOptions,
  ): Promise<PutOutcome> {
    return this.#ask(options, (peer) => peer.putShare(storageIndex, shareNumber, share, options))
  }

  getBlocks(request: BlocksRequest, options?: RequestOptions): Promise<BlocksReply> {
    return this.#ask(options, (peer) => peer.getBlocks(request, options))
  }

  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options?: RequestOptions,
  ): Promise<Uint8Array> {
    return this.#ask(options, (peer) => peer.prove(storageIndex, shareNumber, nonce, options))
  }

  status(options?: RequestOptions): Promise<PeerStatus> {
    return this.#ask(options, (peer) => peer.status(options))
  }

  appendEntries(request: AppendRequest, options?: LogRequestOptions): Promise<AppendReply> {
    return this.#ask(options, (peer) => peer.appendEntries(request, options))
  }

  readLog(request: ReadLogRequest, options?: LogRequestOptions): Promise<ReadLogReply> {
    return this.#ask(options, (peer) => peer.readLog(request, options))
  }

  challenge(options?: RequestOptions): Promise<Uint8Array> {
    return this.#ask(options, (peer) => peer.challenge(options))
  }

  enter(credentials: Credentials, options?: RequestOptions): Promise<Account> {
    return this.#ask(options, (peer) => peer.enter(credentials, options))
  }

  touch(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#ask(options, (peer) => peer.touch(indexes, options))
  }

  renew(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]> {
    return this.#ask(options, (peer) => peer.renew(indexes, options))
  }

  listHolds(request: ListHoldsRequest, options?: RequestOptions): Promise<ListHoldsReply> {
    return this.#ask(options, (peer) => peer.listHolds(request, options))
  }

  release(release: SignedRelease, options?: RequestOptions): Promise<ReleaseReply> {
    return this.#ask(options, (peer) => peer.release(release, options))
  }

  #ask<T>(
    options: RequestOptions | undefined,
    call: (peer: StoragePeer) => Promise<T>,
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
      call(peer)
        .then(resolve, reject)
        .finally(() => {
          cancel()
          forget()
          options?.signal?.removeEventListener('abort', onAbort)
        })
    })
  }
}
