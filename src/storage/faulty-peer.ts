/**
 * A server that misbehaves: wraps a peer and carries out a fault of `faults.ts`. Deterministic, as
 * its time and its randomness come through ports; for tests and for the simulation.
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type {
  AppendReply,
  AppendRequest,
  LogRequestOptions,
  ReadLogReply,
  ReadLogRequest,
} from '../log/log-peer.ts'
import type {
  Account,
  Credentials,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from './hold-peer.ts'
import type {
  BlocksReply,
  BlocksRequest,
  PeerStatus,
  PutOutcome,
  RequestOptions,
  ShareBody,
  StorageIndex,
  StoragePeer,
} from './peer.ts'

/** Each verb's request and reply. */
export interface Verbs {
  have: { request: { indexes: readonly StorageIndex[] }; reply: number[][] }
  putShare: {
    request: { storageIndex: StorageIndex; shareNumber: number; share: ShareBody }
    reply: PutOutcome
  }
  getBlocks: { request: BlocksRequest; reply: BlocksReply }
  prove: {
    request: { storageIndex: StorageIndex; shareNumber: number; nonce: Uint8Array }
    reply: Uint8Array
  }
  status: { request: undefined; reply: PeerStatus }
  appendEntries: { request: AppendRequest; reply: AppendReply }
  readLog: { request: ReadLogRequest; reply: ReadLogReply }
  challenge: { request: undefined; reply: Uint8Array }
  enter: { request: Credentials; reply: Account }
  touch: { request: readonly StorageIndex[]; reply: TouchOutcome[] }
  renew: { request: readonly StorageIndex[]; reply: TouchOutcome[] }
  listHolds: { request: ListHoldsRequest; reply: ListHoldsReply }
  release: { request: SignedRelease; reply: ReleaseReply }
}

export type Verb = keyof Verbs

/** One call that a fault may spoil. */
export interface FaultyCall<V extends Verb> {
  request: Verbs[V]['request']
  /** Makes the call as it came, and gives the true answer. */
  honest: () => Promise<Verbs[V]['reply']>
  signal: AbortSignal | undefined
  /** The peer that is wrapped, for other calls than the one that came. */
  peer: StoragePeer
  clock: Clock
  random: Random
}

/** What comes of a call instead of the truth. */
export type Handler<V extends Verb> = (call: FaultyCall<V>) => Promise<Verbs[V]['reply']>

/** One way to misbehave: verbs that are left out are answered honestly. */
export type Fault = { readonly [V in Verb]?: Handler<V> }

export interface FaultyPeerOptions {
  peer: StoragePeer
  clock: Clock
  random: Random
  fault?: Fault
}

export class FaultyPeer implements StoragePeer {
  /** What is wrong with it; may be changed at any time, and undefined heals it. */
  fault: Fault | undefined
  readonly #options: FaultyPeerOptions

  constructor(options: FaultyPeerOptions) {
    this.#options = options
    this.fault = options.fault
  }

  get id(): string {
    return this.#options.peer.id
  }

  have(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<number[][]> {
    const honest = (): Promise<number[][]> => this.#options.peer.have(indexes, options)
    return this.#call('have', { indexes }, honest, options)
  }

  putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<PutOutcome> {
    const request = { storageIndex, shareNumber, share }
    const honest = (): Promise<PutOutcome> =>
      this.#options.peer.putShare(storageIndex, shareNumber, share, options)
    return this.#call('putShare', request, honest, options)
  }

  getBlocks(request: BlocksRequest, options: RequestOptions = {}): Promise<BlocksReply> {
    const honest = (): Promise<BlocksReply> => this.#options.peer.getBlocks(request, options)
    return this.#call('getBlocks', request, honest, options)
  }

  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    const honest = (): Promise<Uint8Array> =>
      this.#options.peer.prove(storageIndex, shareNumber, nonce, options)
    return this.#call('prove', { storageIndex, shareNumber, nonce }, honest, options)
  }

  status(options: RequestOptions = {}): Promise<PeerStatus> {
    return this.#call('status', undefined, () => this.#options.peer.status(options), options)
  }

  appendEntries(request: AppendRequest, options: LogRequestOptions = {}): Promise<AppendReply> {
    const honest = (): Promise<AppendReply> => this.#options.peer.appendEntries(request, options)
    return this.#call('appendEntries', request, honest, options)
  }

  readLog(request: ReadLogRequest, options: LogRequestOptions = {}): Promise<ReadLogReply> {
    const honest = (): Promise<ReadLogReply> => this.#options.peer.readLog(request, options)
    return this.#call('readLog', request, honest, options)
  }

  challenge(options: RequestOptions = {}): Promise<Uint8Array> {
    const honest = (): Promise<Uint8Array> => this.#options.peer.challenge(options)
    return this.#call('challenge', undefined, honest, options)
  }

  enter(credentials: Credentials, options: RequestOptions = {}): Promise<Account> {
    const honest = (): Promise<Account> => this.#options.peer.enter(credentials, options)
    return this.#call('enter', credentials, honest, options)
  }

  touch(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<TouchOutcome[]> {
    const honest = (): Promise<TouchOutcome[]> => this.#options.peer.touch(indexes, options)
    return this.#call('touch', indexes, honest, options)
  }

  renew(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<TouchOutcome[]> {
    const honest = (): Promise<TouchOutcome[]> => this.#options.peer.renew(indexes, options)
    return this.#call('renew', indexes, honest, options)
  }

  listHolds(request: ListHoldsRequest, options: RequestOptions = {}): Promise<ListHoldsReply> {
    const honest = (): Promise<ListHoldsReply> => this.#options.peer.listHolds(request, options)
    return this.#call('listHolds', request, honest, options)
  }

  release(release: SignedRelease, options: RequestOptions = {}): Promise<ReleaseReply> {
    const honest = (): Promise<ReleaseReply> => this.#options.peer.release(release, options)
    return this.#call('release', release, honest, options)
  }

  async #call<V extends Verb>(
    verb: V,
    request: Verbs[V]['request'],
    honest: () => Promise<Verbs[V]['reply']>,
    { signal }: RequestOptions,
  ): Promise<Verbs[V]['reply']> {
    const spoil = this.fault?.[verb]
    if (spoil === undefined) return honest()
    const { peer, clock, random } = this.#options
    return spoil({ request, honest, signal, peer, clock, random })
  }
}
