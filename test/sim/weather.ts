/** What a server's faults do to the links between it and the clients. */
import type { FaultEvent } from './plan.ts'
import type { SimNetwork } from './sim-net.ts'
import type { SimServer } from './sim-server.ts'

export class Weather {
  readonly #network: SimNetwork
  readonly #clientIds: readonly string[]
  /** Pairs of hosts that are kept apart, and how often. */
  readonly #splits = new Map<string, number>()

  constructor(network: SimNetwork, clientIds: readonly string[]) {
    this.#network = network
    this.#clientIds = clientIds
  }

  /** A fault has begun: what strikes once strikes, and the links are brought up to date. */
  begin(server: SimServer, { fault }: FaultEvent): void {
    for (const client of this.#clientIds) {
      if (fault.kind === 'reset' || fault.kind === 'babble') this.#network.cut(client, server.id)
      if (fault.kind !== 'ambush') continue
      const [from, to] = fault.way === 'in' ? [client, server.id] : [server.id, client]
      this.#network.link(from, to).lieInWait({ kind: fault.what, afterBytes: fault.afterBytes })
    }
    this.settle(server)
  }

  /** Keeps a client and these servers apart. */
  split(client: string, servers: readonly SimServer[]): void {
    for (const server of servers) {
      const key = `${client} ${server.id}`
      this.#splits.set(key, (this.#splits.get(key) ?? 0) + 1)
      this.settle(server)
    }
  }

  /** Lets them reach each other again, unless something else is in the way. */
  join(client: string, servers: readonly SimServer[]): void {
    for (const server of servers) {
      const key = `${client} ${server.id}`
      this.#splits.set(key, (this.#splits.get(key) ?? 1) - 1)
      this.settle(server)
    }
  }

  /** Brings the links of a server into the state that the faults on now call for. */
  settle(server: SimServer): void {
    for (const client of this.#clientIds) {
      this.#settleLink(server, 'in', client, server.id)
      this.#settleLink(server, 'out', server.id, client)
    }
  }

  #settleLink(server: SimServer, way: 'in' | 'out', from: string, to: string): void {
    const link = this.#network.link(from, to)
    const partitions = server.faults('partition')
    const client = way === 'in' ? from : to
    const isSplit = (this.#splits.get(`${client} ${server.id}`) ?? 0) > 0
    const blocked = isSplit || partitions.some((fault) => fault.way === 'both' || fault.way === way)
    link.extraMs = server.faults('slow').reduce((sum, { extraMs }) => sum + extraMs, 0)
    link.dripping = server.faults('drip').some((fault) => fault.way === way)
    if (!server.has('ambush')) link.disarm()
    if (blocked && !link.blocked) this.#network.block(from, to)
    if (!blocked && link.blocked) link.unblock()
  }
}
