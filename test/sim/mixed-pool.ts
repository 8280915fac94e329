/** A client's peers: some in its own process, as an embedded grid has them, and some over the network. */
import type { Clock } from '../../src/base/clock.ts'
import type { Candidate } from '../../src/node/peers/candidate.ts'
import { NetworkPeers } from '../../src/node/peers/network-peers.ts'
import type { PeerPool } from '../../src/node/peers/peer-pool.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { DirectPeer, type DirectServer } from './direct-peer.ts'
import type { SimNetwork } from './sim-net.ts'

export interface MixedPoolOptions {
  /** Of the host, on its clock. */
  id: string
  clock: Clock
  network: SimNetwork
  servers: readonly DirectServer[]
  /** Ids of those that are spoken to over the network. */
  wired: ReadonlySet<string>
}

export class MixedPool implements PeerPool {
  readonly #direct: readonly Candidate[]
  readonly #network: PeerPool

  constructor(direct: readonly StoragePeer[], network: PeerPool) {
    this.#direct = direct.map((peer) => ({ id: peer.id, domain: undefined, peer, accepts: true }))
    this.#network = network
  }

  /** The peers of a new process, which the network knows from now on. */
  static of({ id, clock, network, servers, wired }: MixedPoolOptions): MixedPool {
    const net = network.attach(id, clock)
    const direct = servers.filter((server) => !wired.has(server.id))
    const fixed = servers
      .filter((server) => wired.has(server.id))
      .map((server) => ({ id: server.id, addresses: [] }))
    return new MixedPool(
      direct.map((server) => new DirectPeer(server, clock)),
      new NetworkPeers({ net, clock, fixed }),
    )
  }

  ready(options?: { signal?: AbortSignal }): Promise<void> {
    return this.#network.ready(options)
  }

  candidates(): Candidate[] {
    return [...this.#direct, ...this.#network.candidates()]
  }

  note(): undefined {
    return undefined
  }

  nickname(id: string): string {
    return id
  }

  close(): Promise<void> {
    return this.#network.close()
  }
}
