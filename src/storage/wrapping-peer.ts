/** What all peers have in common that ask another: a verb is a call, and most calls are dealt with alike. */
import type { AppendRequest, LogRequestOptions, ReadLogRequest } from '../log/log-peer.ts'
import type { Credentials, ListHoldsRequest, SignedRelease } from './hold-peer.ts'
import type { BlocksRequest, RequestOptions, ShareBody, StorageIndex, StoragePeer } from './peer.ts'
import type { Call, Reply, StorageVerb } from './verbs.ts'

/**
 * Whoever extends it says what becomes of a call, and overrides the verbs that are another matter. A new
 * verb of `StoragePeer` is one method here; until it stands here, nothing that wraps a peer compiles.
 */
export abstract class WrappingPeer implements StoragePeer {
  abstract readonly id: string

  protected abstract ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>>

  have(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<Reply<'have'>> {
    return this.ask({ verb: 'have', asked: [indexes], options })
  }

  putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<Reply<'putShare'>> {
    return this.ask({ verb: 'putShare', asked: [storageIndex, shareNumber, share], options })
  }

  getBlocks(request: BlocksRequest, options: RequestOptions = {}): Promise<Reply<'getBlocks'>> {
    return this.ask({ verb: 'getBlocks', asked: [request], options })
  }

  prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Reply<'prove'>> {
    return this.ask({ verb: 'prove', asked: [storageIndex, shareNumber, nonce], options })
  }

  status(options: RequestOptions = {}): Promise<Reply<'status'>> {
    return this.ask({ verb: 'status', asked: [], options })
  }

  appendEntries(
    request: AppendRequest,
    options: LogRequestOptions = {},
  ): Promise<Reply<'appendEntries'>> {
    return this.ask({ verb: 'appendEntries', asked: [request], options })
  }

  readLog(request: ReadLogRequest, options: LogRequestOptions = {}): Promise<Reply<'readLog'>> {
    return this.ask({ verb: 'readLog', asked: [request], options })
  }

  challenge(options: RequestOptions = {}): Promise<Reply<'challenge'>> {
    return this.ask({ verb: 'challenge', asked: [], options })
  }

  enter(credentials: Credentials, options: RequestOptions = {}): Promise<Reply<'enter'>> {
    return this.ask({ verb: 'enter', asked: [credentials], options })
  }

  touch(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<Reply<'touch'>> {
    return this.ask({ verb: 'touch', asked: [indexes], options })
  }

  renew(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<Reply<'renew'>> {
    return this.ask({ verb: 'renew', asked: [indexes], options })
  }

  listHolds(request: ListHoldsRequest, options: RequestOptions = {}): Promise<Reply<'listHolds'>> {
    return this.ask({ verb: 'listHolds', asked: [request], options })
  }

  release(release: SignedRelease, options: RequestOptions = {}): Promise<Reply<'release'>> {
    return this.ask({ verb: 'release', asked: [release], options })
  }
}
