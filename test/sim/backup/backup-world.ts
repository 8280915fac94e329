/**
 * Backups in one thread: servers that keep shares and a log, machines with trees that change, a
 * reader, and the plan that drives them. Faults come and go as planned; then all that can heal
 * heals, every machine backs up once more, and every snapshot is read to its last byte.
 */
import type { CapOf } from '../../../src/caps/cap.ts'
import type { EncodedExtent } from '../../../src/encoding/encoder.ts'
import type { ErasureCode } from '../../../src/encoding/erasure-code.ts'
import { InlineEncoder } from '../../../src/encoding/inline-encoder.ts'
import { MemoryEntryJournal } from '../../../src/log/entry-journal.ts'
import { MemoryHeadPins } from '../../../src/log/head-pins.ts'
import { founded, LogAdmin } from '../../../src/log/log-admin.ts'
import { LogReader } from '../../../src/log/log-reader.ts'
import { Grid } from '../../../src/node/grid.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { DirectPeer } from '../direct-peer.ts'
import { faultOf, type Lie, lies } from '../lies.ts'
import { type LogLie, logFaultOf } from '../logs/log-lies.ts'
import { SimLog } from '../logs/sim-log.ts'
import { MixedPool } from '../mixed-pool.ts'
import { recoveryMs } from '../plan.ts'
import { SimEncoder } from '../sim-encoder.ts'
import type { ServerParts } from '../sim-server.ts'
import { Stage } from '../stage.ts'
import { BackupJudge, type ReadSnapshot } from './backup-judge.ts'
import { BackupMachine, type BackupMachineParts } from './backup-machine.ts'
import { type BackupPlan, type BackupPlanItem, type MachineEvent, startMs } from './backup-plan.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { Editor } from './tree-edit.ts'

export type BackupWorldParts = ServerParts & BackupMachineParts

export interface BackupWorldOptions {
  code: ErasureCode
  print?: (line: string) => void
  backupParts?: BackupWorldParts
}

/** When the log is begun. */
const foundMs = 3000
/** Between the steps after the faults. */
const stepMs = 600_000
const lastCallMs = 7_200_000
const bodyBudgetBytes = 2 ** 24
/** Keys of devices start here: those below are known to thieves (`logs/sim-log.ts`). */
const firstDevice = 11

export class BackupWorld {
  readonly stage: Stage
  readonly #plan: BackupPlan
  readonly #options: BackupWorldOptions
  readonly #log: SimLog
  readonly #judge: BackupJudge
  readonly #machines: readonly BackupMachine[]
  readonly #reader: Grid
  readonly #encoded = new Map<string, EncodedExtent>()
  readonly #reading = new Set<string>()
  #reads = 0

  constructor(plan: BackupPlan, options: BackupWorldOptions) {
    this.#plan = plan
    this.#options = options
    const { seed } = plan
    const { servers, durationMs, wiredServers, machines } = plan.options
    const { print } = options
    this.stage = new Stage({ seed, name: 'backup world', durationMs, bodyBudgetBytes, print })
    this.#log = new SimLog(servers, servers)
    this.#addServers()
    const { tally, clock } = this.stage
    this.#judge = new BackupJudge({
      ...{ plan, tally, servers: this.stage.servers, nowMs: () => clock.monotonicMs() },
      onViolation: (what) => this.stage.accuse(what),
    })
    const wired = new Set(this.#log.serverIds.slice(0, wiredServers))
    const editor = new Editor(seed)
    const numbers = Array.from({ length: machines }, (_, number) => number)
    this.#machines = numbers.map((number) => this.#newMachine(number, wired, editor))
    this.#reader = this.#newReader(wired)
    this.stage.clients = [...this.#machines.map(({ id }) => id), readerId]
  }

  /** Runs the plan, lets all heal, and reads everything back. Throws the first Violation. */
  async run(): Promise<void> {
    const { stage } = this
    const { items, options } = this.#plan
    for (const server of stage.servers) void server.start()
    stage.clock.after(foundMs, () => void this.#found())
    await stage.runUntil(startMs - 2000)
    for (const machine of this.#machines) machine.start()
    for (const item of items) {
      stage.clock.after(Math.max(0, item.atMs - startMs + 2000), () => this.#happen(item))
    }
    await stage.runUntil(options.durationMs)
    stage.journal.write('world', 'the faults have ended')
    await stage.runUntil(options.durationMs + recoveryMs)
    for (const machine of this.#machines) {
      machine.start()
      machine.run(lastRun)
    }
    await stage.runUntil(options.durationMs + recoveryMs + stepMs)
    this.#read(undefined)
    await stage.runUntil(options.durationMs + lastCallMs)
    this.#checkEnd()
  }

  #checkEnd(): void {
    const { stage } = this
    for (const { id, underWay } of this.#machines) {
      for (const what of underWay) stage.accuse(`B5: ${id}: ${what} never ended`)
    }
    for (const what of this.#reading) stage.accuse(`B5: ${what} never ended`)
    for (const server of stage.servers) {
      for (const wrong of [...server.ledger.audit(), ...server.logLedger.audit()])
        stage.accuse(`I1: at the end ${wrong}`)
      if (server.disk.openFiles > 0) stage.accuse(`I11: ${server.id} holds files open`)
    }
    stage.check()
  }

  /** The admin gives the genesis to the servers, and certificates to the machines. */
  async #found(): Promise<void> {
    const { clock, servers } = this.stage
    const { genesis, logId, keys } = this.#log
    const cap = { type: 'LOG-Admin', adminSeed: new Uint8Array(32), logId } as const
    const direct = servers.map((server) => new DirectPeer(server, clock))
    await founded({ cap, genesis }, direct)
    const peers = (): DirectPeer[] => direct
    const reader = new LogReader({ logId, peers, clock, pins: new MemoryHeadPins() })
    const journal = new MemoryEntryJournal()
    const admin = await LogAdmin.open(keys, { reader, peers, journal, clock })
    for (let machine = 0; machine < this.#plan.options.machines; machine++) {
      const subject = this.#log.deviceKey(firstDevice + machine)
      const limits = { bytesPer30Days: 2 ** 30, entriesPerDay: 1000 }
      const rights = ['append', 'put', 'renew'] as const
      const { outcome } = await admin.grant({ subject, rights, limits, label: `m${machine}` })
      if (outcome !== 'committed') this.stage.accuse('the log could not be begun')
    }
  }

  #happen(item: BackupPlanItem): void {
    switch (item.kind) {
      case 'fault':
        return this.stage.begin(item)
      case 'edit':
        return this.#machines[item.machine].edit(item.edit)
      case 'run':
        return this.#machines[item.machine].run(item)
      case 'read':
        return this.#read(item.last)
      default:
        return this.#befall(item)
    }
  }

  #befall(event: MachineEvent): void {
    const { stage } = this
    const machine = this.#machines[event.machine]
    stage.journal.write(machine.id, event.kind, event)
    stage.tally.add(`machine: ${event.kind}`)
    if (event.kind === 'split') {
      const others = event.servers.map((i) => stage.servers[i])
      stage.weather.split(machine.id, others)
      return stage.after(event, () => stage.weather.join(machine.id, others))
    }
    const over = machine.befall(event)
    if (over !== undefined && 'forMs' in event) stage.after(event, over)
  }

  /** Reads the newest snapshots, or all. */
  #read(last: number | undefined): void {
    const name = `read ${this.#reads++}`
    this.#reading.add(name)
    this.#readSnapshots(name, last)
      .catch((error: unknown) => this.#judge.broken(error))
      .finally(() => this.#reading.delete(name))
  }

  async #readSnapshots(name: string, last: number | undefined): Promise<void> {
    const { clock, journal } = this.stage
    const fromMs = clock.monotonicMs()
    const span = () => ({ fromMs, toMs: clock.monotonicMs() })
    const { logId, keys } = this.#log
    const cap: CapOf<'LOG-Read'> = { type: 'LOG-Read', readSeed: keys.readSeed, logId }
    const reader = new SnapshotReader(this.#reader.trees)
    const found: ReadSnapshot[] = []
    try {
      const log = this.#reader.logs.reader(cap)
      const view = await log.read()
      for await (const { id, snapshot, error } of log.snapshots(view, { last })) {
        const tree = { id, cap: snapshot?.cap, tree: undefined, error }
        found.push(snapshot === undefined ? tree : await readTree(reader, id, snapshot.cap))
      }
    } catch (error) {
      journal.write(readerId, name, { error: (error as Error).message })
      this.#judge.readFailed(error, span())
      return
    }
    const sizes = found.map(({ tree, error }) => tree?.size ?? (error as Error).message)
    journal.write(readerId, name, { sizes })
    this.#judge.read(found, span(), last === undefined)
  }

  #addServers(): void {
    const { diskBytes, servers } = this.#plan.options
    const branch = this.#log.branch()
    const { otherGenesis } = this.#log
    const store = new MemoryStore()
    const accomplice = new LocalPeer({ id: 'accomplice', store, clock: this.stage.clock })
    for (const id of this.#log.serverIds.slice(0, servers)) {
      const nodeKey = this.#log.serverPair(id)
      this.stage.addServer({
        ...{ id, diskBytes, seed: nodeKey.seed },
        parts: this.#options.backupParts ?? {},
        faultOf: (lie) =>
          lies.includes(lie as Lie)
            ? faultOf(lie as Lie, accomplice)
            : logFaultOf(lie as LogLie, { nodeKey, branch, otherGenesis }),
        rots: ['shares', 'logs'],
      })
    }
  }

  #newMachine(number: number, wired: ReadonlySet<string>, editor: Editor): BackupMachine {
    const { clock, network, journal, tally, random, servers } = this.stage
    const { options: plan } = this.#plan
    const { logId, keys } = this.#log
    const { convergenceSecret } = keys
    const deviceSeed = this.#log.deviceSeed(firstDevice + number)
    return new BackupMachine({
      ...{
        number,
        clock,
        network,
        journal,
        tally,
        judge: this.#judge,
        editor,
        servers,
        wired,
        plan,
      },
      random: random.fork(`machine ${number}`),
      redundancy: plan,
      append: { type: 'LOG-Append', deviceSeed, convergenceSecret, logId },
      encoderOf: (files) =>
        new SimEncoder(new InlineEncoder(this.#options.code, files), this.#encoded),
      parts: this.#options.backupParts ?? {},
    })
  }

  #newReader(wired: ReadonlySet<string>): Grid {
    const { clock, network, servers, random } = this.stage
    const peers = MixedPool.of({ id: readerId, clock, network, servers, wired })
    const encoder = new SimEncoder(new InlineEncoder(this.#options.code))
    const parts = { peers, encoder, smallEncoder: encoder, secret: new Uint8Array(32) }
    return new Grid({ ...parts, clock, random: random.fork(readerId) })
  }
}

const readerId = 'reader'
const lastRun = {
  kind: 'run',
  atMs: 0,
  machine: 0,
  checkpointSteps: 0,
  bundleFiles: 0,
  during: [],
} as const

async function readTree(
  reader: SnapshotReader,
  id: Uint8Array,
  cap: CapOf<'DIR-CHK'>,
): Promise<ReadSnapshot> {
  try {
    return { id, cap, tree: await reader.read(cap), error: undefined }
  } catch (error) {
    return { id, cap, tree: undefined, error }
  }
}
