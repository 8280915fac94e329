/**
 * A log in one thread: its servers, the machines of its admin, devices and readers, the network
 * between them, and the plan that drives them. Faults come and go as planned; then all that can heal
 * heals, devices write once more, and what was promised must be so.
 */
import { founded } from '../../../src/log/log-admin.ts'
import { DirectPeer } from '../direct-peer.ts'
import { recoveryMs } from '../plan.ts'
import type { ServerParts } from '../sim-server.ts'
import { Stage } from '../stage.ts'
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
  readonly stage: Stage
  readonly #plan: LogPlan
  readonly #options: LogWorldOptions
  readonly #log: SimLog
  readonly #truth: LogTruth
  readonly #machines: readonly LogMachine[]
  readonly #judge: LogJudge

  constructor(plan: LogPlan, options: LogWorldOptions) {
    this.#plan = plan
    this.#options = options
    const { seed } = plan
    const { servers, members, durationMs } = plan.options
    this.stage = new Stage({ seed, name: 'log world', durationMs, bodyBudgetBytes, ...options })
    this.#log = new SimLog(servers, members)
    this.#truth = new LogTruth([...Array(members).keys()])
    this.#addServers()
    this.#judge = new LogJudge({
      ...{ plan, servers: this.stage.servers, truth: this.#truth, log: this.#log },
      tally: this.stage.tally,
      onViolation: (what) => this.stage.accuse(what),
    })
    this.#machines = this.#makeMachines()
    this.stage.clients = this.#machines.map(({ id }) => id)
  }

  /** Runs the plan, lets all heal, and reads everything back. Throws the first Violation. */
  async run(): Promise<void> {
    const { stage } = this
    const { items, options } = this.#plan
    for (const server of stage.servers) void server.start()
    for (const machine of this.#machines.slice(0, cloneNumber(options, 0))) machine.start()
    stage.clock.after(foundMs, () => this.#found())
    for (const item of items) stage.clock.after(item.atMs, () => this.#happen(item))
    await stage.runUntil(options.durationMs)
    stage.journal.write('world', 'the faults have ended')
    let atMs = options.durationMs + recoveryMs
    for (const step of this.#lastSteps()) {
      await stage.runUntil(atMs)
      for (const operation of step) this.#operate(operation)
      atMs += stepMs
    }
    await stage.runUntil(atMs + lastCallMs)
    for (const { id, underWay } of this.#machines) {
      for (const what of underWay) stage.accuse(`I12: ${id}: ${what} never ended`)
    }
    for (const server of stage.servers) {
      for (const wrong of server.logLedger.audit()) stage.accuse(`I1: at the end ${wrong}`)
      if (server.disk.openFiles > 0) stage.accuse(`I11: ${server.id} holds files open`)
    }
    stage.check()
  }

  /** The admin gives the genesis to those who are there, and certificates to the devices. */
  #found(): void {
    const { devices, members } = this.#plan.options
    const { genesis, logId } = this.#log
    const cap = { type: 'LOG-Admin', adminSeed: new Uint8Array(32), logId } as const
    const peers = this.stage.servers
      .slice(0, members)
      .map((each) => new DirectPeer(each, this.stage.clock))
    void founded({ cap, genesis }, peers)
    const limited = this.stage.random.chance(0.3)
    for (let device = 1; device <= devices; device++) {
      const entriesPerDay = limited && device === 1 ? 3 : 1000
      const grant = { kind: 'grant', machine: 0, device, entriesPerDay } as const
      this.stage.clock.after(1000, () =>
        this.#operate({ ...grant, atMs: this.stage.clock.monotonicMs() }),
      )
    }
  }

  #happen(item: LogPlanItem): void {
    switch (item.kind) {
      case 'fault':
        return this.stage.begin(item)
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

  #befall(event: MachineEvent): void {
    const machine = this.#machines[event.machine]
    this.stage.journal.write(machine.id, event.kind, event)
    this.stage.tally.add(`machine: ${event.kind}`)
    switch (event.kind) {
      case 'crash':
        machine.crash(event.power)
        return this.stage.after(event, () => machine.start())
      case 'lose':
        machine.crash(true)
        machine.replaceDisk()
        this.#judge.forgot(machine.number)
        return this.stage.after(event, () => machine.start())
      case 'restore': {
        const snapshot = machine.snapshot()
        const floor = this.#judge.floorOf(machine.number)
        return this.stage.after(event, () => {
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
        const others = event.servers.map((i) => this.stage.servers[i])
        this.stage.weather.split(machine.id, others)
        return this.stage.after(event, () => this.stage.weather.join(machine.id, others))
      }
    }
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

  #addServers(): void {
    const { diskBytes } = this.#plan.options
    const branch = this.#log.branch()
    const { otherGenesis } = this.#log
    for (const entry of branch.entries) this.#truth.sign(entry)
    for (const id of this.#log.serverIds) {
      const nodeKey = this.#log.serverPair(id)
      this.stage.addServer({
        ...{ id, diskBytes, seed: nodeKey.seed, rots: ['logs'] },
        parts: this.#options.logParts ?? {},
        faultOf: (lie) => logFaultOf(lie as LogLie, { nodeKey, branch, otherGenesis }),
        onEntry: (entry, server) => this.#judge.taken(entry, server),
      })
    }
  }

  #makeMachines(): LogMachine[] {
    const { options, items } = this.#plan
    const { devices, wiredServers } = options
    const originals = new Map(
      items.flatMap((item) => (item.kind === 'clone' ? [[item.as, item.machine] as const] : [])),
    )
    const wired = new Set(this.#log.serverIds.slice(0, wiredServers))
    const { clock, network, journal, random, servers } = this.stage
    return Array.from({ length: machineCount(options) }, (_, number) => {
      const id = number === 0 ? 'admin' : `machine-${number}`
      const device = originals.get(number) ?? number
      const isWriter = device >= 1 && device <= devices
      const seed = number === 0 ? this.#log.keys.signSeed : this.#log.deviceSeed(device)
      return new LogMachine({
        ...{ id, number, clock, network, journal, servers },
        seed: isWriter || number === 0 ? seed : undefined,
        random: random.fork(id),
        ...{ judge: this.#judge, truth: this.#truth, log: this.#log },
        wired,
        parts: this.#options.logParts ?? {},
      })
    })
  }
}
