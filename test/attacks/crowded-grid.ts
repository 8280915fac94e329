/** A grid on virtual time whose servers announce themselves to an introducer, and whose client knows no others. */
import { peerIdOf } from '../../src/base/peer-id.ts'
import { Budget } from '../../src/base/limit.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { Announcer } from '../../src/introducer/announcer.ts'
import { Subscriber } from '../../src/introducer/subscriber.ts'
import { Grid } from '../../src/node/grid.ts'
import type { PutReport } from '../../src/node/put-report.ts'
import { type GridView, viewGrid } from '../../src/node/grid-state.ts'
import { NetworkPeers } from '../../src/node/peers/network-peers.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'
import { facts, gridName, seedOf } from '../introducer/nodes.ts'
import { targetOf, World } from '../introducer/world.ts'
import { collected } from './attacked-grid.ts'

const introducers = [targetOf('introducer')]
const encoder = new InlineEncoder(openErasureCode())

/** What a server says of itself. */
export interface Announced {
  name: string
  /** Multiaddr. */
  address: string
  failureDomain?: string
}

export class CrowdedGrid {
  readonly #world: World
  readonly #stores = new Map<string, MemoryStore>()
  #client: Grid | undefined

  private constructor(seed: string) {
    this.#world = new World(seed)
  }

  static async of(seed: string, servers: readonly Announced[]): Promise<CrowdedGrid> {
    const crowded = new CrowdedGrid(seed)
    await crowded.#world.introducer('introducer')
    for (const server of servers) await crowded.#start(server)
    await crowded.#open()
    return crowded
  }

  put(bytes: Uint8Array): Promise<PutReport> {
    return this.#world.run(this.#grid.put({ stream: [bytes], sizeBytes: bytes.length }))
  }

  /** The whole content; rejects when it cannot be had. */
  get(cap: string): Promise<Uint8Array> {
    return this.#world.run(collected(this.#grid, cap))
  }

  /** Makes a log, and resolves to the peer ids of its servers. */
  async foundLog(): Promise<string[]> {
    const { logs } = this.#grid
    const { admin } = await this.#world.run(logs.create({ device: 'laptop' }))
    const { genesis } = await this.#world.run(logs.reader(admin).read())
    return genesis.config.servers.map(peerIdOf)
  }

  /** What `grid status` makes of it. */
  async view(): Promise<GridView> {
    const reports = await this.#world.run(this.#grid.status())
    const redundancy = await this.#world.run(this.#grid.redundancy())
    const seen = { answeredMs: 0, silentSinceMs: undefined }
    return viewGrid({ reports, introducers: [], redundancy }, () => seen)
  }

  /** How many shares the servers of these names keep. */
  async shareCount(names: readonly string[]): Promise<number> {
    let count = 0
    for (const name of names) count += (await this.#stores.get(name)!.totals()).shareCount
    return count
  }

  /** Takes the servers of these names away at once. */
  vanish(names: readonly string[]): void {
    for (const name of names) this.#world.kill(name)
  }

  get #grid(): Grid {
    return this.#client!
  }

  async #start({ name, address, failureDomain = '' }: Announced): Promise<void> {
    const { net, clock } = this.#world.boot(name)
    const store = new MemoryStore()
    this.#stores.set(name, store)
    const logs = { store: new MemoryLogStore(), seed: seedOf(name) }
    const peer = new LocalPeer({ id: net.id, store, logs, clock, reserveBytes: 0 })
    const budget = new Budget(2 ** 27)
    net.handle(storageProtocol, (channel) => serveStorage(peer, channel, { clock, budget }))
    const said = { addresses: [address], facts: { ...facts, nickname: name, failureDomain } }
    const announcer = new Announcer({ gridName, seed: seedOf(name), clock, describe: () => said })
    const random = this.#world.random.fork(name)
    const parts = { gridName, introducers, net, clock, random, allowPrivateAddresses: false }
    const subscriber = await this.#world.run(Subscriber.open({ ...parts, announcer }))
    await this.#world.run(subscriber.tried())
  }

  async #open(): Promise<void> {
    const { net, clock } = this.#world.boot('client')
    const random = this.#world.random.fork('client')
    const parts = { gridName, introducers, net, clock, random, allowPrivateAddresses: false }
    const subscriber = await this.#world.run(Subscriber.open(parts))
    const peers = new NetworkPeers({ net, clock, fixed: [], subscriber })
    await this.#world.run(peers.ready())
    const secret = new Uint8Array(32).fill(1)
    this.#client = new Grid({ clock, random, peers, encoder, smallEncoder: encoder, secret })
  }
}
