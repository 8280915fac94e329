/**
 * A peer that is connected to when it is first needed, and again when the connection has ended: a
 * StoragePeer over whatever connects to one.
 */
import type { Clock } from '../../base/clock.ts'
import { orAbort } from '../../base/deadline.ts'
import { asGridError, type GridError, isGridError } from '../../base/errors.ts'
import type {
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from '../../storage/peer.ts'
import {
  type Asked,
  askPeer,
  type Call,
  type Reply,
  type StorageVerb,
} from '../../storage/verbs.ts'
import { WrappingPeer } from '../../storage/wrapping-peer.ts'

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

export class DialledPeer extends WrappingPeer {
  override readonly id: string
  readonly #options: DialledPeerOptions
  #connection: Promise<Connection> | undefined
  #failure: GridError | undefined
  #pauseMs = firstPauseMs
  #notBeforeMs = -Infinity
  #closed = false

  constructor(options: DialledPeerOptions) {
    super()
    this.id = options.id
    this.#options = options
  }

  override putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<PutOutcome> {
    const asked: Asked<'putShare'> = [storageIndex, shareNumber, share]
    const put: Call<'putShare'> = { verb: 'putShare', asked, options }
    // pieces in an array can be sent again, others are gone once they were read
    return Array.isArray(share.pieces) ? this.ask(put) : this.#use(put)
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
  protected async ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    const before = this.#connection
    try {
      return await this.#use(call)
    } catch (error) {
      if (before === undefined || this.#connection === before) throw error
      if (!isGridError(error, 'E_CLOSED')) throw error
      return this.#use(call)
    }
  }

  async #use<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    const connection = this.#connected()
    const { peer } = await orAbort(connection, call.options.signal)
    try {
      return await askPeer(peer, call)
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
