/**
 * A grid in one thread: servers, clients, the network between them, and the plan that drives them.
 * Faults come and go as planned; then all that can heal heals, and what was promised must be so.
 */
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { Encoder } from '../../src/encoding/encoder.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { Catalogue } from './catalogue.ts'
import { ClientHost } from './client-host.ts'
import { Judge } from './judge.ts'
import { faultOf, type Lie } from './lies.ts'
import { recoveryMs, type Operation, type Plan, type PlanItem } from './plan.ts'
import type { Client, ClientParts } from './sim-client.ts'
import type { ServerParts } from './sim-server.ts'
import { Stage } from './stage.ts'

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
  readonly stage: Stage
  readonly #plan: Plan
  readonly #options: WorldOptions
  readonly #clients: readonly ClientHost[]
  readonly #judge: Judge

  constructor(plan: Plan, options: WorldOptions) {
    this.#plan = plan
    this.#options = options
    const { seed, items } = plan
    const { durationMs, clients } = plan.options
    this.stage = new Stage({ seed, name: 'world', durationMs, bodyBudgetBytes, ...options })
    this.#addServers()
    this.#judge = new Judge({
      options: plan.options,
      faults: items.filter((item) => item.kind === 'fault'),
      servers: this.stage.servers,
      wired: this.#wired,
      tally: this.stage.tally,
      onViolation: (what) => this.stage.accuse(what),
    })
    const clientIds = Array.from({ length: clients }, (_, i) => `client-${i}`)
    this.stage.clients = clientIds
    this.#clients = this.#makeClients(clientIds)
  }

  /** Runs the plan, then reads everything back. Throws the first Violation. */
  async run(): Promise<void> {
    const { stage } = this
    const { items, options } = this.#plan
    for (const server of stage.servers) void server.start()
    for (const item of items) stage.clock.after(item.atMs, () => this.#happen(item))
    await stage.runUntil(options.durationMs)
    stage.journal.write('world', 'the faults have ended')
    await stage.runUntil(options.durationMs + recoveryMs)
    for (const operation of this.#lastOperations()) this.#operate(operation)
    await stage.runUntil(options.durationMs + lastCallMs)
    for (const what of this.#clients.flatMap(({ underWay }) => underWay)) {
      stage.accuse(`I12: ${what} never ended`)
    }
    for (const server of stage.servers) {
      for (const wrong of server.ledger.audit()) stage.accuse(`I1: at the end ${wrong}`)
      if (server.disk.openFiles > 0) stage.accuse(`I11: ${server.id} holds files open`)
      if (server.unfinished > 0) stage.accuse(`I11: ${server.id} has left shares unfinished`)
    }
    stage.check()
  }

  /** Ids of the servers that are spoken to over the network. */
  get #wired(): ReadonlySet<string> {
    const wired = this.stage.servers.slice(0, this.#plan.options.wiredServers)
    return new Set(wired.map(({ id }) => id))
  }

  #happen(item: PlanItem): void {
    if (item.kind === 'fault') return this.stage.begin(item)
    if (item.kind !== 'client-crash') return this.#operate(item)
    const client = this.#clients[item.client]
    client.crash()
    this.stage.clock.after(item.forMs, () => client.start())
  }

  #operate(operation: Operation): void {
    this.#clients[operation.client].operate(operation).catch((error: unknown) => {
      this.stage.accuse(`the simulation itself failed: ${(error as Error).stack ?? ''}`)
    })
  }

  /** When all has healed: every client reads every file of the plan, and puts a new one. */
  #lastOperations(): Operation[] {
    const atMs = this.stage.clock.monotonicMs()
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

  #addServers(): void {
    const { servers, diskBytes } = this.#plan.options
    const store = new MemoryStore()
    const accomplice = new LocalPeer({ id: 'accomplice', store, clock: this.stage.clock })
    for (let i = 0; i < servers; i++) {
      const id = `server-${i}`
      this.stage.addServer({
        ...{ id, diskBytes, seed: sha256(utf8(id)), rots: ['shares'] },
        parts: this.#options.parts ?? {},
        faultOf: (lie) => faultOf(lie as Lie, accomplice),
      })
    }
  }

  #makeClients(ids: readonly string[]): ClientHost[] {
    const { k, happy, n } = this.#plan.options
    const { encoder, parts } = this.#options
    const { clock, network, journal, tally, random: chance, servers } = this.stage
    const secret = chance.fork('secret').bytes(32)
    const redundancy = { k, happy, n }
    const shared = {
      ...{ clock, network, journal, tally, servers },
      judge: this.#judge,
      catalogue: new Catalogue({ random: chance, encoder, secret, redundancy }),
      wired: this.#wired,
      ...(parts?.client === undefined ? {} : { make: parts.client }),
    }
    return ids.map((id) => {
      const random = chance.fork(id)
      return new ClientHost({ ...shared, id, parts: { random, encoder, secret, redundancy } })
    })
  }
}
