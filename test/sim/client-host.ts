/** A client's machine: processes that die and start anew, the operations they carry out, and how each ended. */
import type { Clock } from '../../src/base/clock.ts'
import type { Catalogue, SimFile } from './catalogue.ts'
import type { DirectServer } from './direct-peer.ts'
import { HostClock } from './host-clock.ts'
import type { Journal } from './journal.ts'
import type { Judge } from './judge.ts'
import { MixedPool } from './mixed-pool.ts'
import type { Operation } from './plan.ts'
import { SimClient, type Client, type ClientParts } from './sim-client.ts'
import type { SimNetwork } from './sim-net.ts'
import type { Tally } from './tally.ts'

export interface ClientHostOptions {
  id: string
  clock: Clock
  network: SimNetwork
  journal: Journal
  tally: Tally
  judge: Judge
  catalogue: Catalogue
  servers: readonly DirectServer[]
  /** Ids of those behind the network; the others are in the client's own process. */
  wired: ReadonlySet<string>
  parts: Omit<ClientParts, 'clock' | 'pool'>
  /** Makes the client of a new process. */
  make?: (parts: ClientParts) => Client
}

/** One run of the client's process. */
interface Life {
  client: Client
  clock: HostClock
  /** Operations that have not ended. */
  underWay: Set<string>
}

export class ClientHost {
  readonly #options: ClientHostOptions
  #life: Life | undefined
  #operations = 0

  constructor(options: ClientHostOptions) {
    this.#options = options
    this.start()
  }

  get underWay(): readonly string[] {
    return [...(this.#life?.underWay ?? [])]
  }

  start(): void {
    const { id, clock: worldClock, network, servers, wired, parts } = this.#options
    const clock = new HostClock(worldClock)
    const pool = MixedPool.of({ id, clock, network, servers, wired })
    const make = this.#options.make ?? ((all: ClientParts) => new SimClient(all))
    this.#life = { client: make({ ...parts, clock, pool }), clock, underWay: new Set() }
  }

  /** The process dies, and what it was doing with it. */
  crash(): void {
    if (this.#life === undefined) return
    if (this.#life.underWay.size > 0) this.#options.tally.reached('client: died at work')
    this.#life.clock.stop()
    this.#life = undefined
    this.#options.network.detach(this.#options.id)
  }

  async operate({ kind, file: number, fileBytes }: Operation): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    const { catalogue, journal, id } = this.#options
    const file = await catalogue.file(number, fileBytes)
    const name = `${kind} ${this.#operations++} of file ${number}`
    journal.write(id, name)
    life.underWay.add(name)
    if (kind === 'put') await this.#put(life, name, file)
    else await this.#get(life, name, file)
    life.underWay.delete(name)
  }

  async #put(life: Life, name: string, file: SimFile): Promise<void> {
    const { clock, judge } = this.#options
    const fromMs = clock.monotonicMs()
    try {
      const summary = await life.client.put(file.bytes)
      const { servers } = summary
      if (this.#note(life, `${name} succeeded`, { servers })) {
        judge.putSucceeded(file, summary, { fromMs, toMs: clock.monotonicMs() })
      }
    } catch (error) {
      if (this.#note(life, `${name} failed`, { error: (error as Error).message })) {
        judge.putFailed(file, error, { fromMs, toMs: clock.monotonicMs() })
      }
    }
  }

  async #get(life: Life, name: string, file: SimFile): Promise<void> {
    const { clock, judge } = this.#options
    const fromMs = clock.monotonicMs()
    try {
      const bytes = await life.client.get(file.cap)
      if (this.#note(life, `${name} succeeded`)) {
        judge.getSucceeded(file, bytes, { fromMs, toMs: clock.monotonicMs() })
      }
    } catch (error) {
      if (this.#note(life, `${name} failed`, { error: (error as Error).message })) {
        judge.getFailed(file, error, { fromMs, toMs: clock.monotonicMs() })
      }
    }
  }

  /** Writes down how an operation ended; false where the process that began it is dead. */
  #note(life: Life, what: string, facts?: unknown): boolean {
    if (life !== this.#life) return false
    this.#options.journal.write(this.#options.id, what, facts)
    return true
  }
}
