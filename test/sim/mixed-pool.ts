/** A client's peers: some in its own process, as an embedded grid has them, and some over the network. */
import type { Candidate } from '../../src/node/candidate.ts'
import type { PeerPool } from '../../src/node/peer-pool.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'

export class MixedPool implements PeerPool {
  readonly #direct: readonly Candidate[]
  readonly #network: PeerPool

  constructor(direct: readonly StoragePeer[], network: PeerPool) {
    this.#direct = direct.map((peer) => ({ id: peer.id, domain: undefined, peer, accepts: true }))
    this.#network = network
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
