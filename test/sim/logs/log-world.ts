/**
 * A log in one thread: its servers, the machines of its admin, devices and readers, the network
 * between them, and the plan that drives them. Faults come and go as planned; then all that can heal
 * heals, devices write once more, and what was promised must be so.
 */
import { Budget } from '../../../src/base/limit.ts'
import { founded } from '../../../src/log/log-admin.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { serveStorage } from '../../../src/storage/serve.ts'
import { storageProtocol } from '../../../src/storage/storage-protocol.ts'
import { babble } from '../babbler.ts'
import { DirectPeer } from '../direct-peer.ts'
import type { HostClock } from '../host-clock.ts'
import { Journal } from '../journal.ts'
import { recoveryMs, type FaultEvent } from '../plan.ts'
import { SimClock } from '../sim-clock.ts'
import { SimNetwork } from '../sim-net.ts'
import { SimRandom } from '../sim-random.ts'
import { SimServer, type ServerParts } from '../sim-server.ts'
import { Tally } from '../tally.ts'
import { Violation } from '../violation.ts'
import { Weather } from '../weather.ts'
import { LogJudge } from './log-judge.ts'
import { type LogLie, logFaultOf } from './log-lies.ts'
import { LogMachine, type MachineParts } from './log-machine.ts'
import {
  cloneNumber,
  type LogOperation,
  type LogPlan,
  type LogPlanItem,
  machineCount,
  type MachineEvent,
} from './log-plan.ts'
import { LogTruth } from './log-truth.ts'
import { SimLog } from './sim-log.ts'

export type LogParts = ServerParts & MachineParts

export interface LogWorldOptions {
  print?: (line: string) => void
  logParts?: LogParts
}

/** When the log is begun, and its first devices get their certificates. */
const foundMs = 5000
/** Between the steps after the faults. */
const stepMs = 180_000
const lastCallMs = 1_800_000
const bodyBudgetBytes = 2 ** 27

export class LogWorld {
  readonly tally: Tally = new Tally()
  readonly clock: SimClock
  readonly journal: Journal
  readonly #plan: LogPlan
  readonly #options: LogWorldOptions
  readonly #random: SimRandom
  readonly #network: SimNetwork
  readonly #log: SimLog
  readonly #truth: LogTruth
  readonly #servers: readonly SimServer[]
  readonly #machines: readonly LogMachine[]
  readonly #weather: Weather
  readonly #judge: LogJudge
  #violation: Violation | undefined

  constructor(plan: LogPlan, options: LogWorldOptions) {
    this.#plan = plan
    this.#options = options
    const { servers, members } = plan.options
    this.#random = new SimRandom(plan.seed).fork('log world')
    this.clock = new SimClock(this.#random.fork('clock'))
    this.journal = new Journal(this.clock, options.print)
    this.#network = new SimNetwork({
      clock: this.clock,
      random: this.#random.fork('net'),
      onFault: (kind) => this.tally.add(`net: ${kind}`),
    })
    this.#log = new SimLog(servers, members)
    this.#truth = new LogTruth([...Array(members).keys()])
    this.#servers = this.#makeServers()
    this.#judge = new LogJudge({
      ...{ plan, servers: this.#servers, truth: this.#truth, tally: this.tally, log: this.#log },
      onViolation: (what) => this.#accuse(what),
    })
    this.#machines = this.#makeMachines()
    const ids = this.#machines.map(({ id }) => id)
    this.#weather = new Weather(this.#network, ids)
  }

  /** Runs the plan, lets all heal, and reads everything back. Throws the first Violation. */
  async run(): Promise<void> {
    const { items, options } = this.#plan
    for (const server of this.#servers) void server.start()
    for (const machine of this.#machines.slice(0, cloneNumber(options, 0))) machine.start()
    this.clock.after(foundMs, () => this.#found())
    for (const item of items) this.clock.after(item.atMs, () => this.#happen(item))
    await this.#runUntil(options.durationMs)
    this.journal.write('world', 'the faults have ended')
    let atMs = options.durationMs + recoveryMs
    for (const step of this.#lastSteps()) {
      await this.#runUntil(atMs)
      for (const operation of step) this.#operate(operation)
      atMs += stepMs
    }
    await this.#runUntil(atMs + lastCallMs)
    for (const { id, underWay } of this.#machines) {
      for (const what of underWay) this.#accuse(`I12: ${id}: ${what} never ended`)
    }
    for (const server of this.#servers) {
      for (const wrong of server.logLedger.audit()) this.#accuse(`I1: at the end ${wrong}`)
      if (server.disk.openFiles > 0) this.#accuse(`I11: ${server.id} holds files open`)
    }
    if (this.#violation !== undefined) throw this.#violation
  }

  async #runUntil(untilMs: number): Promise<void> {
    await this.clock.run({ untilMs, done: () => this.#violation !== undefined })
    if (this.#violation !== undefined) throw this.#violation
  }

  /** The admin gives the genesis to those who are there, and certificates to the devices. */
  #found(): void {
    const { devices, members } = this.#plan.options
    const { genesis, logId } = this.#log
    const cap = { type: 'LOG-Admin', adminSeed: new Uint8Array(32), logId } as const
    const peers = this.#servers.slice(0, members).map((each) => new DirectPeer(each, this.clock))
    void founded({ cap, genesis }, peers)
    const limited = this.#random.chance(0.3)
    for (let device = 1; device <= devices; device++) {
      const entriesPerDay = limited && device === 1 ? 3 : 1000
      const grant = { kind: 'grant', machine: 0, device, entriesPerDay } as const
      this.clock.after(1000, () => this.#operate({ ...grant, atMs: this.clock.monotonicMs() }))
    }
  }

  #happen(item: LogPlanItem): void {
    switch (item.kind) {
      case 'fault':
        return this.#begin(item)
      case 'crash':
      case 'lose':
      case 'restore':
      case 'clone':
      case 'split':
        return this.#befall(item)
      default:
        return this.#operate(item)
    }
  }

  #begin(event: FaultEvent): void {
    const server = this.#servers[event.server]
    this.journal.write(server.id, 'fault', { ...event.fault, forMs: event.forMs })
    this.tally.add(`fault: ${event.fault.kind}`)
    server.begin(event)
    this.#weather.begin(server, event)
    this.#after(event, () => {
      this.journal.write(server.id, 'fault over', { kind: event.fault.kind })
      server.end(event)
      this.#weather.settle(server)
    })
  }

  #befall(event: MachineEvent): void {
    const machine = this.#machines[event.machine]
    this.journal.write(machine.id, event.kind, event)
    this.tally.add(`machine: ${event.kind}`)
    switch (event.kind) {
      case 'crash':
        machine.crash(event.power)
        return this.#after(event, () => machine.start())
      case 'lose':
        machine.crash(true)
        machine.replaceDisk()
        this.#judge.forgot(machine.number)
        return this.#after(event, () => machine.start())
      case 'restore': {
        const snapshot = machine.snapshot()
        const floor = this.#judge.floorOf(machine.number)
        return this.#after(event, () => {
          machine.crash(false)
          machine.restore(snapshot)
          this.#judge.forgot(machine.number, floor)
          machine.start()
        })
      }
      case 'clone': {
        const clone = this.#machines[event.as]
        clone.restore(machine.snapshot())
        this.#judge.forgot(clone.number, this.#judge.floorOf(machine.number))
        return clone.start()
      }
      case 'split': {
        const others = event.servers.map((i) => this.#servers[i])
        this.#weather.split(machine.id, others)
        return this.#after(event, () => this.#weather.join(machine.id, others))
      }
    }
  }

  /** When the event is over, or all faults are. */
  #after({ atMs, forMs }: { atMs: number; forMs: number }, action: () => void): void {
    const leftMs = this.#plan.options.durationMs - atMs
    this.clock.after(Math.max(0, Math.min(forMs, leftMs)), action)
  }

  #operate(operation: LogOperation): void {
    this.#machines[operation.machine].operate(operation)
  }

  /** When all has healed: a move that was begun is done again, every device writes, everybody reads. */
  #lastSteps(): LogOperation[][] {
    const { devices, readers } = this.#plan.options
    const atMs = this.#plan.options.durationMs
    const moves = this.#plan.items.filter((item) => item.kind === 'move')
    const last = moves.at(-1)
    const appends = Array.from({ length: devices }, (_, i): LogOperation => {
      return { kind: 'append', atMs, machine: 1 + i, reopen: true, bodyBytes: 100 }
    })
    const everybody = [...Array(1 + devices + readers).keys()]
    const reads = everybody.flatMap((machine): LogOperation[] => {
      const again = { kind: 'read', atMs, machine, fresh: false } as const
      return machine === 0 || machine > devices ? [again, { ...again, fresh: true }] : [again]
    })
    const checkpoint = { kind: 'checkpoint', atMs, machine: 0 } as const
    return [last === undefined ? [checkpoint] : [checkpoint, last], appends, reads]
  }

  #makeServers(): SimServer[] {
    const { diskBytes } = this.#plan.options
    const branch = this.#log.branch()
    for (const entry of branch.entries) this.#truth.sign(entry)
    return this.#log.serverIds.map((id) => {
      const nodeKey = this.#log.serverPair(id)
      const { otherGenesis } = this.#log
      return new SimServer({
        id,
        clock: this.clock,
        random: this.#random.fork(id),
        diskBytes,
        parts: this.#options.logParts ?? {},
        seed: nodeKey.seed,
        faultOf: (lie) => logFaultOf(lie as LogLie, { nodeKey, branch, otherGenesis }),
        rots: 'logs',
        tally: this.tally,
        onEntry: (entry, server) => this.#judge.taken(entry, server),
        onStart: (server, peer, clock) => this.#connect(server, peer, clock),
        onStop: (power) => this.#network.detach(id, { power }),
        onEvent: (what, facts) => this.journal.write(id, what, facts),
        onViolation: (what) => this.#accuse(`${id}: ${what}`),
      })
    })
  }

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

  #makeMachines(): LogMachine[] {
    const { options, items } = this.#plan
    const { devices, wiredServers } = options
    const originals = new Map(
      items.flatMap((item) => (item.kind === 'clone' ? [[item.as, item.machine] as const] : [])),
    )
    const wired = new Set(this.#log.serverIds.slice(0, wiredServers))
    return Array.from({ length: machineCount(options) }, (_, number) => {
      const id = number === 0 ? 'admin' : `machine-${number}`
      const device = originals.get(number) ?? number
      const isWriter = device >= 1 && device <= devices
      const seed = number === 0 ? this.#log.keys.signSeed : this.#log.deviceSeed(device)
      return new LogMachine({
        ...{ id, number, clock: this.clock, network: this.#network, journal: this.journal },
        seed: isWriter || number === 0 ? seed : undefined,
        random: this.#random.fork(id),
        ...{ judge: this.#judge, truth: this.#truth, log: this.#log, servers: this.#servers },
        wired,
        parts: this.#options.logParts ?? {},
      })
    })
  }

  #accuse(what: string): void {
    this.journal.write('judge', what)
    this.#violation ??= new Violation(what)
  }
}
