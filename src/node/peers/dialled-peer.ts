/**
 * A peer that is connected to when it is first needed, and again when the connection has ended: a
 * StoragePeer over whatever connects to one.
 */
import type { Clock } from '../../base/clock.ts'
import { orAbort } from '../../base/deadline.ts'
import { asGridError, type GridError, isGridError } from '../../base/errors.ts'
import type {
  AppendReply,
  AppendRequest,
  LogRequestOptions,
  ReadLogReply,
  ReadLogRequest,
} from '../../log/log-peer.ts'
import type {
  Account,
  Credentials,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from '../../storage/hold-peer.ts'
import type {
  BlocksReply,
  BlocksRequest,
  PeerStatus,
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from '../../storage/peer.ts'

/** A peer at the other end of a connection. */
export interface Connection {
  peer: StoragePeer
  /** Settles once the connection has ended, for whatever reason; absent where it cannot be told. */
  ended?: Promise<unknown>
  /** Ends the connection at once. */
  close(): void
}

export interface DialledPeerOptions {
  id: string
  clock: Clock
  /** Makes a new connection, or rejects with E_UNREACHABLE by its own deadline. */
  connect: () => Promise<Connection>
}

const firstPauseMs = 500
const longestPauseMs = 30_000

export class DialledPeer implements StoragePeer {
  readonly id: string
  readonly #options: DialledPeerOptions
  #connection: Promise<Connection> | undefined
  #failure: GridError | undefined
  #pauseMs = firstPauseMs
  #notBeforeMs = -Infinity
  #closed = false

  constructor(options: DialledPeerOptions) {
    this.id = options.id
    this.#options = options
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
    const put = (peer: StoragePeer): Promise<PutOutcome> =>
      peer.putShare(storageIndex, shareNumber, share, options)
    // pieces in an array can be sent again, others are gone once they were read
    return Array.isArray(share.pieces) ? this.#ask(options, put) : this.#use(options, put)
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

  /** Connects ahead of need; failures show when the peer is used. */
  prepare(): void {
    this.#connected().catch(() => undefined)
  }

  /** Ends the connection, and makes no other. */
  close(): void {
    this.#closed = true
    this.#connection?.then(
      (connection) => connection.close(),
      () => undefined,
    )
  }

  /** As `#use`; a request that finds a connection of before dead is made again, over a new one. */
  async #ask<T>(
    options: RequestOptions | undefined,
    request: (peer: StoragePeer) => Promise<T>,
  ): Promise<T> {
    const before = this.#connection
    try {
      return await this.#use(options, request)
    } catch (error) {
      if (before === undefined || this.#connection === before) throw error
      if (!isGridError(error, 'E_CLOSED')) throw error
      return this.#use(options, request)
    }
  }

  async #use<T>(
    options: RequestOptions | undefined,
    request: (peer: StoragePeer) => Promise<T>,
  ): Promise<T> {
    const connection = this.#connected()
    const { peer } = await orAbort(connection, options?.signal)
    try {
      return await request(peer)
    } catch (error) {
      // A connection that ended is not used again; the next request makes a new one.
      if (isGridError(error, 'E_CLOSED', 'E_PROTOCOL') && this.#connection === connection) {
        this.#connection = undefined
      }
      throw error
    }
  }

  #connected(): Promise<Connection> {
    if (this.#connection === undefined) {
      const connection = this.#connect()
      const forget = (): void => {
        if (this.#connection === connection) this.#connection = undefined
      }
      this.#connection = connection
      connection.then(({ ended }) => ended?.then(forget, forget), forget)
    }
    return this.#connection
  }

  async #connect(): Promise<Connection> {
    const { clock, connect, id } = this.#options
    if (this.#failure !== undefined && (this.#closed || clock.monotonicMs() < this.#notBeforeMs)) {
      throw this.#failure
    }
    try {
      const connection = await connect()
      this.#failure = undefined
      this.#pauseMs = firstPauseMs
      if (this.#closed) connection.close()
      return connection
    } catch (error) {
      this.#failure = asGridError(error, 'E_UNREACHABLE', `cannot reach ${id}`)
      this.#notBeforeMs = clock.monotonicMs() + this.#pauseMs
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2)
      throw this.#failure
    }
  }
}
