/**
 * The network of a simulated grid. Hosts come and go; between any two there is a link each way,
 * which delays, blocks, drips, cuts and damages as the plan says.
 */
import type { Channel } from '../../src/base/channel.ts'
import type { Clock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
import type { ChannelHandler, Net, PeerTarget } from '../../src/base/net.ts'
import { Connection } from './sim-connection.ts'
import { Link } from './sim-link.ts'
import type { SimRandom } from './sim-random.ts'

export interface SimNetworkOptions {
  clock: Clock
  random: SimRandom
  onFault?: (kind: string) => void
}

/** When a system gives up on a connection that carries nothing, or on making one. */
const keepAliveMs = 60_000
const connectMs = 15_000

export class SimNetwork {
  readonly #clock: Clock
  readonly #random: SimRandom
  readonly #onFault: (kind: string) => void
  readonly #links = new Map<string, Link>()
  readonly #hosts = new Map<string, HostNet>()
  readonly #connections = new Set<Connection>()
  /** Hosts that are off, not only without a process: nobody there answers that nobody is there. */
  readonly #dark = new Set<string>()

  constructor(options: SimNetworkOptions) {
    this.#clock = options.clock
    this.#random = options.random
    this.#onFault = options.onFault ?? (() => {})
  }

  /** The port of a new process at host `id`, on that process's clock. */
  attach(id: string, clock: Clock): Net {
    this.detach(id)
    this.#dark.delete(id)
    const host = new HostNet(this, id, clock)
    this.#hosts.set(id, host)
    for (const connection of this.#connectionsOf(id)) {
      this.#clock.after(this.#random.exponential(2000), () => this.end(connection, 'reset'))
    }
    return host
  }

  /** The process at `id` dies; its system tells the other ends, unless the power went with it. */
  detach(id: string, options: { power?: boolean } = {}): void {
    const host = this.#hosts.get(id)
    this.#hosts.delete(id)
    if (options.power === true) this.#dark.add(id)
    if (host === undefined) return
    for (const connection of this.#connectionsOf(id)) {
      if (!connection.parties.includes(host)) continue
      connection.abandon()
      const afterMs = options.power === true ? keepAliveMs : this.linkTo(id, connection).transitMs()
      this.#clock.after(afterMs, () => this.end(connection, 'the other side is gone'))
    }
  }

  /** The link that leads from one host to another. */
  link(from: string, to: string): Link {
    const key = `${from} → ${to}`
    let link = this.#links.get(key)
    if (link === undefined) {
      const random = this.#random.fork(key)
      link = new Link(random, random.exponential(10) + 0.1, this.#onFault)
      this.#links.set(key, link)
    }
    return link
  }

  /** Lets nothing through from one host to the other. Connections die of it unless it ends soon. */
  block(from: string, to: string): void {
    this.link(from, to).block()
    for (const connection of this.#connections) {
      const [a, b] = connection.parties
      if (!(a.id === from && b.id === to) && !(a.id === to && b.id === from)) continue
      const giveUp = (): void => {
        if (this.link(from, to).blocked) this.end(connection, 'no sign of life')
      }
      this.#clock.after(keepAliveMs, giveUp)
    }
  }

  /** Breaks every connection between two hosts. */
  cut(a: string, b: string): void {
    for (const connection of this.#connectionsOf(a)) {
      if (connection.parties.some(({ id }) => id === b)) this.end(connection, 'reset')
    }
  }

  /** Makes every link as good as new. */
  heal(): void {
    for (const link of this.#links.values()) link.heal()
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Connects `from` to the host `id`, or says why not; `done` is told, on the caller's clock. */
  connect(
    from: HostNet,
    id: string,
    protocol: string,
    done: (outcome: Connection | GridError) => void,
  ): void {
    const there = this.link(from.id, id)
    const back = this.link(id, from.id)
    const host = this.#hosts.get(id)
    const refuse = (why: string, afterMs: number): void => {
      const error = new GridError('E_UNREACHABLE', `${id} cannot be reached: ${why}`)
      from.clock.after(afterMs, () => done(error))
    }
    if (there.blocked || back.blocked || this.#dark.has(id)) return refuse('no answer', connectMs)
    if (host === undefined) return refuse('refused', there.transitMs() + back.transitMs())
    refuse('it is silent', connectMs)
    host.clock.after(there.transitMs(), () => {
      const handler = host.handler(protocol)
      if (handler === undefined) return refuse('another protocol', back.transitMs())
      if (!this.#isAttached(from)) return
      const connection = this.#join(from, host)
      const [, channel] = connection.channels
      handler(channel).catch((error: unknown) => channel.abort(error as Error))
      from.clock.after(back.transitMs(), () => done(connection))
    })
  }

  #join(from: HostNet, to: HostNet): Connection {
    const links = [this.link(from.id, to.id), this.link(to.id, from.id)] as const
    const connection: Connection = new Connection([from, to], links, (why) =>
      this.end(connection, why),
    )
    this.#connections.add(connection)
    return connection
  }

  /** Ends every connection of a process that lives on. */
  endAll(host: HostNet): void {
    for (const connection of this.#connectionsOf(host.id)) this.end(connection, 'closed')
  }

  #isAttached(party: { id: string }): boolean {
    return this.#hosts.get(party.id) === party
  }

  end(connection: Connection, why: string): void {
    if (!this.#connections.delete(connection)) return
    for (const end of [0, 1] as const) {
      if (this.#isAttached(connection.parties[end])) connection.fail(end, why)
    }
  }

  #connectionsOf(id: string): Connection[] {
    return [...this.#connections].filter(({ parties }) => parties.some((party) => party.id === id))
  }

  linkTo(id: string, connection: Connection): Link {
    const [a, b] = connection.parties
    return this.link(id, a.id === id ? b.id : a.id)
  }
}

class HostNet implements Net {
  readonly id: string
  readonly clock: Clock
  readonly #network: SimNetwork
  readonly #handlers = new Map<string, ChannelHandler>()

  constructor(network: SimNetwork, id: string, clock: Clock) {
    this.#network = network
    this.id = id
    this.clock = clock
  }

  addresses(): string[] {
    return [`/sim/${this.id}`]
  }

  handler(protocol: string): ChannelHandler | undefined {
    return this.#handlers.get(protocol)
  }

  dial(
    target: PeerTarget,
    protocol: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<Channel> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      let waiting = true
      const settle = (act: () => void): void => {
        waiting = false
        signal?.removeEventListener('abort', onAbort)
        act()
      }
      const onAbort = (): void => settle(() => reject(signal?.reason as Error))
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#network.connect(this, target.id, protocol, (outcome) => {
        if (outcome instanceof GridError) settle(() => reject(outcome))
        else if (waiting) settle(() => resolve(outcome.channels[0]))
        else outcome.channels[0].abort(new Error('nobody waits for it any more'))
      })
    })
  }

  connectionCount(): number {
    return 0
  }

  handle(protocol: string, handler: ChannelHandler): void {
    this.#handlers.set(protocol, handler)
  }

  async close(): Promise<void> {
    this.#network.endAll(this)
    this.#network.detach(this.id)
  }
}
