/** A server in this process as one client sees it, which a carrier has authenticated. */
import type { StoragePeer } from '../../src/storage/peer.ts'
import { askPeer, type Call, type Reply, type StorageVerb } from '../../src/storage/verbs.ts'
import { WrappingPeer } from '../../src/storage/wrapping-peer.ts'

export function asClient(server: StoragePeer, client: string): StoragePeer {
  return new PeerOfClient(server, client)
}

class PeerOfClient extends WrappingPeer {
  override readonly id: string
  readonly #server: StoragePeer
  readonly #client: string

  constructor(server: StoragePeer, client: string) {
    super()
    this.id = server.id
    this.#server = server
    this.#client = client
  }

  protected ask<V extends StorageVerb>({ verb, asked, options }: Call<V>): Promise<Reply<V>> {
    return askPeer(this.#server, { verb, asked, options: { ...options, client: this.#client } })
  }
}
