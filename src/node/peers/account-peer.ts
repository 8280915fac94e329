/**
 * A storage peer on an account: it enters when it first must, and what is put, touched and listed
 * through it is the account's. Where a server keeps no accounts it asks without one.
 */
import { equalBytes } from '../../base/bytes.ts'
import { orAbort } from '../../base/deadline.ts'
import { isGridError } from '../../base/errors.ts'
import { logIdOf } from '../../log/genesis.ts'
import type {
  Account,
  ListHoldsReply,
  ListHoldsRequest,
  TouchOutcome,
} from '../../storage/hold-peer.ts'
import { authMessage } from '../../storage/holds/credentials.ts'
import type {
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from '../../storage/peer.ts'
import { askPeer, type Call, type Reply, type StorageVerb } from '../../storage/verbs.ts'
import { WrappingPeer } from '../../storage/wrapping-peer.ts'

/** A key of an account, as a client has it. */
export interface AccountCredentials {
  genesis: Uint8Array
  /** Of the key; undefined for the admin's own. */
  certificate: Uint8Array | undefined
  /** Ed25519 public key, 32 bytes. */
  key: Uint8Array
  /** By that key. */
  sign: (message: Uint8Array) => Uint8Array
}

export interface AccountPeerOptions {
  peer: StoragePeer
  credentials: AccountCredentials
  /** Peer id that this client is authenticated by at servers. */
  clientId: string
}

/** What came of entering; undefined where the server keeps no accounts. */
type Entered = Account | undefined

export class AccountPeer extends WrappingPeer {
  readonly #peer: StoragePeer
  readonly #credentials: AccountCredentials
  readonly #clientId: string
  readonly #logId: Uint8Array
  #entered: Promise<Entered> | undefined

  constructor({ peer, credentials, clientId }: AccountPeerOptions) {
    super()
    this.#peer = peer
    this.#credentials = credentials
    this.#clientId = clientId
    this.#logId = logIdOf(credentials.genesis)
  }

  override get id(): string {
    return this.#peer.id
  }

  /** How the account stands there: as it was when it was entered. Undefined where no accounts are kept. Throws as `enter`. */
  account(options: RequestOptions = {}): Promise<Account | undefined> {
    if (this.#entered === undefined) {
      const entered = this.#enter()
      this.#entered = entered
      entered.catch(() => {
        if (this.#entered === entered) this.#entered = undefined
      })
    }
    return orAbort(this.#entered, options.signal)
  }

  override async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<PutOutcome> {
    const put = (on: RequestOptions): Promise<PutOutcome> =>
      this.#peer.putShare(storageIndex, shareNumber, share, on)
    // pieces in an array can be sent again, others are gone once they were read: a token that has
    // ended is found out before
    const mayAskAgain = Array.isArray(share.pieces)
    if (!mayAskAgain && (await this.account(options)) !== undefined) await this.touch([], options)
    return this.#onAccount(options, put, mayAskAgain)
  }

  override touch(
    indexes: readonly StorageIndex[],
    options: RequestOptions = {},
  ): Promise<TouchOutcome[]> {
    return this.#onAccount(options, (on) => this.#peer.touch(indexes, on))
  }

  override listHolds(
    request: ListHoldsRequest,
    options: RequestOptions = {},
  ): Promise<ListHoldsReply> {
    return this.#onAccount(options, (on) => this.#peer.listHolds(request, on))
  }

  /** What no account has to do with is asked without it. */
  protected ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    return askPeer(this.#peer, call)
  }

  /** Asks on the account; once more, entered anew, where the server has forgotten the token. */
  async #onAccount<T>(
    options: RequestOptions,
    ask: (options: RequestOptions) => Promise<T>,
    mayAskAgain = true,
  ): Promise<T> {
    const client = this.#clientId
    const account = await this.account(options)
    const entered = this.#entered
    try {
      return await ask({ ...options, account: account?.token, client })
    } catch (error) {
      if (!isGridError(error, 'E_FORBIDDEN') || account === undefined) throw error
      if (this.#entered === entered) this.#entered = undefined
      if (!mayAskAgain) throw error
      const again = await this.account(options)
      if (again === undefined || equalBytes(again.token, account.token)) throw error
      return ask({ ...options, account: again.token, client })
    }
  }

  /** For all who wait for it, so nobody's signal ends it. */
  async #enter(): Promise<Entered> {
    const options = { client: this.#clientId }
    const { genesis, certificate, key, sign } = this.#credentials
    let nonce: Uint8Array
    try {
      nonce = await this.#peer.challenge(options)
    } catch (error) {
      if (isGridError(error, 'E_FORBIDDEN', 'E_UNKNOWN_VERB')) return undefined
      throw error
    }
    const meeting = { server: this.#peer.id, client: this.#clientId, nonce }
    const signature = sign(authMessage(meeting, this.#logId))
    return this.#peer.enter({ genesis, certificate, key, nonce, signature }, options)
  }
}
