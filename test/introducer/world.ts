/** A simulated grid of introducers and subscribers, for tests. */
import { Budget } from '../../src/base/limit.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Net, PeerTarget } from '../../src/base/net.ts'
import type { Trace } from '../../src/base/trace.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { Announcer } from '../../src/introducer/announcer.ts'
import { Introducer, type IntroducerOptions } from '../../src/introducer/introducer.ts'
import {
  introducerProtocol,
  listVerb,
  parseListRequest,
  publishVerb,
} from '../../src/introducer/protocol.ts'
import { Subscriber, type SubscriberOptions } from '../../src/introducer/subscriber.ts'
import { answer, type Verb } from '../../src/wire/answerer.ts'
import { HostClock } from '../sim/host-clock.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SimNetwork } from '../sim/sim-net.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { facts, gridName, seedOf } from './nodes.ts'

/** What a lying introducer answers to the `list` that asks from `cursor`. */
export type Lie = (cursor: number) => CborValue

export function idOf(name: string): string {
  return peerIdOf(publicKeyOfSeed(seedOf(name)))
}

/** The introducer called `name`, at a public address. */
export function targetOf(name: string): PeerTarget {
  return { id: idOf(name), addresses: ['/ip4/203.0.113.1/tcp/7781'] }
}

export class World {
  readonly random: SimRandom
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly events: string[] = []
  readonly trace: Trace = { event: (name) => this.events.push(name) }
  readonly #clocks = new Map<string, HostClock>()

  constructor(seed: string) {
    this.random = new SimRandom(seed)
    this.clock = new SimClock(this.random.fork('clock'))
    this.network = new SimNetwork({ clock: this.clock, random: this.random.fork('net') })
  }

  disk(name: string): SimDisk {
    return new SimDisk({ random: this.random.fork(`disk of ${name}`) })
  }

  /** A new process at the host called `name`. */
  boot(name: string): { net: Net; clock: HostClock } {
    const clock = new HostClock(this.clock)
    this.#clocks.set(name, clock)
    return { net: this.network.attach(idOf(name), clock), clock }
  }

  /** The clock of the process that runs at `name`. */
  clockOf(name: string): HostClock {
    return this.#clocks.get(name)!
  }

  /** The process at `name` dies. */
  kill(name: string): void {
    this.#clocks.get(name)?.stop()
    this.network.detach(idOf(name))
  }

  async introducer(name: string, options: Partial<IntroducerOptions> = {}): Promise<Introducer> {
    const { net, clock } = this.boot(name)
    const introducer = await this.run(
      Introducer.open({ gridName, clock, budget: new Budget(2 ** 20), ...options }),
    )
    net.handle(introducerProtocol, (channel) => introducer.serve(channel))
    return introducer
  }

  /** An introducer that listens to `others` and passes on what they name. */
  async gossip(
    name: string,
    others: readonly PeerTarget[],
    options: Partial<IntroducerOptions> = {},
  ): Promise<{ introducer: Introducer; listener: Subscriber }> {
    const { net, clock } = this.boot(name)
    const budget = new Budget(2 ** 20)
    const ids = others.map(({ id }) => id)
    const introducer = await this.run(
      Introducer.open({ gridName, clock, budget, others: ids, ...options }),
    )
    net.handle(introducerProtocol, (channel) => introducer.serve(channel))
    const listener = await this.run(
      Subscriber.open({
        gridName,
        introducers: others,
        net,
        clock,
        random: this.random.fork(name),
        trace: this.trace,
        allowPrivateAddresses: false,
        revocations: options.revocations,
        onAnnouncement: (announcement, id) => introducer.hear(announcement, id),
      }),
    )
    return { introducer, listener }
  }

  /** An introducer that speaks the protocol and says what it likes. */
  liar(name: string, lie: Lie): void {
    const { net, clock } = this.boot(name)
    const list: Verb<{ cursor: number }> = {
      deadlineMs: 60_000,
      parse: parseListRequest,
      handle: async ({ cursor }) => ({ facts: lie(cursor) }),
    }
    const publish: Verb<unknown> = {
      deadlineMs: 60_000,
      parse: () => 0,
      handle: async () => ({ facts: 0 }),
    }
    const verbs = new Map<string, Verb<unknown>>([
      [listVerb, list],
      [publishVerb, publish],
    ])
    net.handle(introducerProtocol, (channel) =>
      answer(channel, verbs, { clock, budget: new Budget(2 ** 20) }),
    )
  }

  /** A subscriber at the host called `name`, which has tried each of `introducers`. */
  async subscriber(
    name: string,
    introducers: readonly PeerTarget[],
    options: Partial<SubscriberOptions> = {},
  ): Promise<Subscriber> {
    const { net, clock } = this.boot(name)
    const subscriber = await this.run(
      Subscriber.open({
        gridName,
        introducers,
        net,
        clock,
        random: this.random.fork(name),
        trace: this.trace,
        allowPrivateAddresses: false,
        ...options,
      }),
    )
    await this.run(subscriber.tried())
    return subscriber
  }

  /** A storage node: a subscriber that announces itself. */
  async node(
    name: string,
    introducers: readonly PeerTarget[],
    addresses: readonly string[] = ['/ip4/203.0.113.7/tcp/7780'],
  ): Promise<Subscriber> {
    return this.subscriber(name, introducers, { announcer: this.announcer(name, addresses) })
  }

  announcer(name: string, addresses: readonly string[], clock: Clock = this.clock): Announcer {
    const describe = () => ({ addresses, facts: { ...facts, nickname: name } })
    return new Announcer({ gridName, seed: seedOf(name), clock, describe })
  }

  /** Lets the grid go on until `work` is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let over = false
    const end = (): void => void (over = true)
    work.then(end, end)
    await this.clock.run({ done: () => over })
    if (!over) throw new Error('everything stands still')
    return work
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ untilMs: this.clock.monotonicMs() + ms })
  }
}

/** Nicknames of the nodes that `subscriber` knows, sorted. */
export function namesOf(subscriber: Subscriber): string[] {
  return subscriber
    .nodes()
    .map(({ facts: { nickname } }) => nickname)
    .sort()
}
