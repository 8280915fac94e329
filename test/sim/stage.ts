/**
 * What every simulated world stands on: virtual time, the network, the servers and what befalls
 * them, the record of all that happens, and the first promise that was not kept.
 */
import { Budget } from '../../src/base/limit.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'
import { babble } from './babbler.ts'
import type { HostClock } from './host-clock.ts'
import { Journal } from './journal.ts'
import type { FaultEvent } from './plan.ts'
import { SimClock } from './sim-clock.ts'
import { SimNetwork } from './sim-net.ts'
import { SimRandom } from './sim-random.ts'
import { SimServer, type SimServerOptions } from './sim-server.ts'
import { Tally } from './tally.ts'
import { Violation } from './violation.ts'
import { Weather } from './weather.ts'

export interface StageOptions {
  seed: string
  /** Of the world: what is drawn in one is not what is drawn in another. */
  name: string
  /** When the faults end. */
  durationMs: number
  /** Bytes of bodies in flight at one server. */
  bodyBudgetBytes: number
  /** Is given each line of the journal. */
  print?: (line: string) => void
}

const weekMs = 7 * 86_400_000

type Made = 'clock' | 'random' | 'tally' | 'onStart' | 'onStop' | 'onEvent' | 'onViolation'

export class Stage {
  readonly tally: Tally = new Tally()
  readonly random: SimRandom
  readonly clock: SimClock
  readonly journal: Journal
  readonly network: SimNetwork
  readonly servers: SimServer[] = []
  readonly #options: StageOptions
  #weather: Weather | undefined
  #violation: Violation | undefined

  constructor(options: StageOptions) {
    this.#options = options
    this.random = new SimRandom(options.seed).fork(options.name)
    this.clock = new SimClock(this.random.fork('clock'))
    this.journal = new Journal(this.clock, options.print)
    this.network = new SimNetwork({
      clock: this.clock,
      random: this.random.fork('net'),
      onFault: (kind) => this.tally.add(`net: ${kind}`),
    })
  }

  /** Hosts that are no servers must be known before the first fault. */
  set clients(ids: readonly string[]) {
    this.#weather = new Weather(this.network, ids)
  }

  get weather(): Weather {
    if (this.#weather === undefined) throw new RangeError('the clients are not known')
    return this.#weather
  }

  /** Adds a server, which is to be started. */
  addServer(options: Omit<SimServerOptions, Made>): SimServer {
    const { id } = options
    const server = new SimServer({
      ...options,
      clock: this.clock,
      random: this.random.fork(id),
      tally: this.tally,
      onStart: (started, peer, clock) => this.#connect(started, peer, clock),
      onStop: (power) => this.network.detach(id, { power }),
      onEvent: (what, facts) => this.journal.write(id, what, facts),
      onViolation: (what) => this.accuse(`${id}: ${what}`),
    })
    this.servers.push(server)
    return server
  }

  /** A promise was not kept. */
  accuse(what: string): void {
    this.journal.write('judge', what)
    this.#violation ??= new Violation(what)
  }

  /** Throws the first Violation. */
  async runUntil(untilMs: number): Promise<void> {
    await this.clock.run({ untilMs, done: () => this.#violation !== undefined })
    this.check()
  }

  check(): void {
    if (this.#violation !== undefined) throw this.#violation
  }

  /** A fault begins, and ends in its time. */
  begin(event: FaultEvent): void {
    const server = this.servers[event.server]
    this.journal.write(server.id, 'fault', { ...event.fault, forMs: event.forMs })
    this.tally.add(`fault: ${event.fault.kind}`)
    server.begin(event)
    this.weather.begin(server, event)
    this.after(event, () => {
      this.journal.write(server.id, 'fault over', { kind: event.fault.kind })
      server.end(event)
      this.weather.settle(server)
    })
  }

  /** When the event is over, or all faults are. */
  after({ atMs, forMs }: { atMs: number; forMs: number }, action: () => void): void {
    const leftMs = this.#options.durationMs - atMs
    this.#later(Math.max(0, Math.min(forMs, leftMs)), action)
  }

  /** As `clock.after`, however long it takes: a timer of Node's is good for weeks only. */
  #later(delayMs: number, action: () => void): void {
    const stepMs = Math.min(delayMs, weekMs)
    this.clock.after(stepMs, () => {
      if (stepMs === delayMs) action()
      else this.#later(delayMs - stepMs, action)
    })
  }

  /** Serves a server's peer to the network; those spoken to directly are not asked there. */
  #connect(server: SimServer, peer: StoragePeer, clock: HostClock): void {
    const budget = new Budget(this.#options.bodyBudgetBytes)
    const random = this.random.fork(`${server.id} babbles`)
    this.network.attach(server.id, clock).handle(storageProtocol, (channel) => {
      const [fault] = server.faults('babble')
      if (fault === undefined) return serveStorage(peer, channel, { clock, budget })
      this.tally.add(`babble: ${fault.how}`)
      return babble(fault.how, channel, { clock, random })
    })
  }
}
