/**
 * A grid in one thread: servers, clients, the network between them, and the plan that drives them.
 * Faults come and go as planned; then all that can heal heals, and what was promised must be so.
 */
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { Budget } from '../../src/base/limit.ts'
import type { Encoder } from '../../src/encoding/encoder.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'
import { babble } from './babbler.ts'
import { Catalogue } from './catalogue.ts'
import { ClientHost } from './client-host.ts'
import type { HostClock } from './host-clock.ts'
import { Journal } from './journal.ts'
import { Judge } from './judge.ts'
import { faultOf, type Lie } from './lies.ts'
import { recoveryMs, type FaultEvent, type Operation, type Plan, type PlanItem } from './plan.ts'
import type { Client, ClientParts } from './sim-client.ts'
import { SimClock } from './sim-clock.ts'
import { SimNetwork } from './sim-net.ts'
import { SimRandom } from './sim-random.ts'
import { SimServer, type ServerParts } from './sim-server.ts'
import { Tally } from './tally.ts'
import { Violation } from './violation.ts'
import { Weather } from './weather.ts'

export interface WorldOptions {
  encoder: Encoder
  /** Is given each line of the journal. */
  print?: (line: string) => void
  parts?: Parts
}

/** Broken parts, to see that they are found out. */
export type Parts = ServerParts & { client?: (parts: ClientParts) => Client }

/** How long after the faults the last operation must have ended. */
const lastCallMs = 7_200_000
/** Bytes of bodies in flight at one server. */
const bodyBudgetBytes = 2 ** 24

export class World {
  readonly tally: Tally = new Tally()
  readonly clock: SimClock
  readonly journal: Journal
  readonly #plan: Plan
  readonly #options: WorldOptions
  readonly #random: SimRandom
  readonly #network: SimNetwork
  readonly #servers: readonly SimServer[]
  readonly #clients: readonly ClientHost[]
  readonly #weather: Weather
  readonly #judge: Judge
  #violation: Violation | undefined

  constructor(plan: Plan, options: WorldOptions) {
    this.#plan = plan
    this.#options = options
    this.#random = new SimRandom(plan.seed).fork('world')
    this.clock = new SimClock(this.#random.fork('clock'))
    this.journal = new Journal(this.clock, options.print)
    this.#network = new SimNetwork({
      clock: this.clock,
      random: this.#random.fork('net'),
      onFault: (kind) => this.tally.add(`net: ${kind}`),
    })
    this.#servers = this.#makeServers()
    this.#judge = new Judge({
      options: plan.options,
      faults: plan.items.filter((item) => item.kind === 'fault'),
      servers: this.#servers,
      wired: new Set(this.#wired),
      tally: this.tally,
      onViolation: (what) => this.#accuse(what),
    })
    const clientIds = Array.from({ length: plan.options.clients }, (_, i) => `client-${i}`)
    this.#weather = new Weather(this.#network, clientIds)
    this.#clients = this.#makeClients(clientIds)
  }

  /** Runs the plan, then reads everything back. Throws the first Violation. */
  async run(): Promise<void> {
    const { items, options } = this.#plan
    for (const server of this.#servers) void server.start()
    for (const item of items) this.clock.after(item.atMs, () => this.#happen(item))
    await this.#runUntil(options.durationMs)
    this.journal.write('world', 'the faults have ended')
    await this.#runUntil(options.durationMs + recoveryMs)
    for (const operation of this.#lastOperations()) this.#operate(operation)
    await this.#runUntil(options.durationMs + lastCallMs)
    for (const what of this.#clients.flatMap(({ underWay }) => underWay)) {
      this.#accuse(`I12: ${what} never ended`)
    }
    for (const server of this.#servers) {
      for (const wrong of server.ledger.audit()) this.#accuse(`I1: at the end ${wrong}`)
      if (server.disk.openFiles > 0) this.#accuse(`I11: ${server.id} holds files open`)
      if (server.unfinished > 0) this.#accuse(`I11: ${server.id} has left shares unfinished`)
    }
    if (this.#violation !== undefined) throw this.#violation
  }

  /** Ids of the servers that are spoken to over the network. */
  get #wired(): string[] {
    return this.#servers.slice(0, this.#plan.options.wiredServers).map(({ id }) => id)
  }

  async #runUntil(untilMs: number): Promise<void> {
    await this.clock.run({ untilMs, done: () => this.#violation !== undefined })
    if (this.#violation !== undefined) throw this.#violation
  }

  #happen(item: PlanItem): void {
    if (item.kind === 'fault') return this.#begin(item)
    if (item.kind !== 'client-crash') return this.#operate(item)
    const client = this.#clients[item.client]
    client.crash()
    this.clock.after(item.forMs, () => client.start())
  }

  #begin(event: FaultEvent): void {
    const server = this.#servers[event.server]
    const leftMs = this.#plan.options.durationMs - event.atMs
    this.journal.write(server.id, 'fault', { ...event.fault, forMs: event.forMs })
    this.tally.add(`fault: ${event.fault.kind}`)
    server.begin(event)
    this.#weather.begin(server, event)
    this.clock.after(Math.max(0, Math.min(event.forMs, leftMs)), () => {
      this.journal.write(server.id, 'fault over', { kind: event.fault.kind })
      server.end(event)
      this.#weather.settle(server)
    })
  }

  #operate(operation: Operation): void {
    this.#clients[operation.client].operate(operation).catch((error: unknown) => {
      this.#accuse(`the simulation itself failed: ${(error as Error).stack ?? ''}`)
    })
  }

  /** When all has healed: every client reads every file of the plan, and puts a new one. */
  #lastOperations(): Operation[] {
    const atMs = this.clock.monotonicMs()
    const files = new Map<number, number>()
    for (const item of this.#plan.items) {
      if (item.kind === 'put' || item.kind === 'get') files.set(item.file, item.fileBytes)
    }
    return this.#clients.flatMap((_, client) => [
      ...[...files].map(([file, fileBytes]): Operation => {
        return { kind: 'get', atMs, client, file, fileBytes }
      }),
      { kind: 'put', atMs, client, file: 1000 + client, fileBytes: 5000 },
    ])
  }

  #makeServers(): SimServer[] {
    const { servers, diskBytes } = this.#plan.options
    const store = new MemoryStore()
    const accomplice = new LocalPeer({ id: 'accomplice', store, clock: this.clock })
    return Array.from({ length: servers }, (_, i) => {
      const id = `server-${i}`
      return new SimServer({
        id,
        clock: this.clock,
        random: this.#random.fork(id),
        diskBytes,
        parts: this.#options.parts ?? {},
        seed: sha256(utf8(id)),
        faultOf: (lie) => faultOf(lie as Lie, accomplice),
        rots: 'shares',
        tally: this.tally,
        onStart: (server, peer, clock) => this.#connect(server, peer, clock),
        onStop: (power) => this.#network.detach(id, { power }),
        onEvent: (what, facts) => this.journal.write(id, what, facts),
        onViolation: (what) => this.#accuse(`${id}: ${what}`),
      })
    })
  }

  /** Serves a server's peer to the network; those spoken to directly are not asked there. */
  #connect(server: SimServer, peer: StoragePeer, clock: HostClock): void {
    const budget = new Budget(bodyBudgetBytes)
    const random = this.#random.fork(`${server.id} babbles`)
    this.#network.attach(server.id, clock).handle(storageProtocol, (channel) => {
      const [fault] = server.faults('babble')
      if (fault === undefined) return serveStorage(peer, channel, { clock, budget })
      this.tally.add(`babble: ${fault.how}`)
      return babble(fault.how, channel, { clock, random })
    })
  }

  #makeClients(ids: readonly string[]): ClientHost[] {
    const { k, happy, n } = this.#plan.options
    const { encoder, parts } = this.#options
    const secret = this.#random.fork('secret').bytes(32)
    const redundancy = { k, happy, n }
    const shared = {
      clock: this.clock,
      network: this.#network,
      journal: this.journal,
      tally: this.tally,
      judge: this.#judge,
      catalogue: new Catalogue({ random: this.#random, encoder, secret, redundancy }),
      direct: this.#servers.slice(this.#wired.length),
      wired: this.#wired,
      ...(parts?.client === undefined ? {} : { make: parts.client }),
    }
    return ids.map((id) => {
      const random = this.#random.fork(id)
      return new ClientHost({ ...shared, id, parts: { random, encoder, secret, redundancy } })
    })
  }

  #accuse(what: string): void {
    this.journal.write('judge', what)
    this.#violation ??= new Violation(what)
  }
}
