/** A machine that writes or reads a log: a disk, processes on it that die and start anew, and what they are asked to do. */
import { toHex } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import type { Random } from '../../../src/base/random.ts'
import { ChainWriter } from '../../../src/log/chain-writer.ts'
import type { Witness } from '../../../src/log/conclusion.ts'
import type { EntryJournal } from '../../../src/log/entry-journal.ts'
import { type HeadPins, MemoryHeadPins } from '../../../src/log/head-pins.ts'
import { LogAdmin } from '../../../src/log/log-admin.ts'
import type { LogPeer } from '../../../src/log/log-peer.ts'
import { LogReader } from '../../../src/log/log-reader.ts'
import type { LogView } from '../../../src/log/log-view.ts'
import type { AppendReport } from '../../../src/log/quorum-append.ts'
import { type DirectoryNode, newDirectory } from '../disk-image.ts'
import { HostClock } from '../host-clock.ts'
import type { Journal } from '../journal.ts'
import { MixedPool } from '../mixed-pool.ts'
import { SimDisk } from '../sim-disk.ts'
import type { SimNetwork } from '../sim-net.ts'
import type { SimRandom } from '../sim-random.ts'
import type { SimServer } from '../sim-server.ts'
import { attackEntry } from './log-attack.ts'
import type { LogJudge } from './log-judge.ts'
import type { LogOperation } from './log-plan.ts'
import type { LogTruth } from './log-truth.ts'
import { DiskJournal, DiskPins, homeDirectory } from './machine-files.ts'
import type { SimLog } from './sim-log.ts'

/** Parts that a test may replace by broken ones. */
export interface MachineParts {
  pins?: (pins: HeadPins) => HeadPins
  journal?: (journal: EntryJournal) => EntryJournal
  report?: (report: AppendReport) => AppendReport
  view?: (view: LogView) => LogView
}

export interface MachineOptions {
  id: string
  number: number
  /** Of the key it writes with; undefined for a reader. */
  seed: Uint8Array | undefined
  clock: Clock
  random: SimRandom
  network: SimNetwork
  journal: Journal
  judge: LogJudge
  truth: LogTruth
  log: SimLog
  servers: readonly SimServer[]
  wired: ReadonlySet<string>
  parts: MachineParts
}

/** One run of the machine's process. */
interface Life {
  clock: HostClock
  reader: LogReader
  peers: () => LogPeer[]
  random: Random
  journal: EntryJournal
  writer: ChainWriter | undefined
  /** Entries that it holds receipts of. */
  witnesses: Witness[]
  last: Promise<void>
  underWay: Set<string>
}

export class LogMachine {
  readonly id: string
  readonly number: number
  readonly author: string | undefined
  disk: SimDisk
  readonly #options: MachineOptions
  #life: Life | undefined
  #operations = 0
  #disks = 0

  constructor(options: MachineOptions) {
    this.#options = options
    this.id = options.id
    this.number = options.number
    this.author = options.seed && toHex(publicKeyOfSeed(options.seed))
    this.disk = this.#newDisk()
  }

  get underWay(): readonly string[] {
    return [...(this.#life?.underWay ?? [])]
  }

  get runs(): boolean {
    return this.#life !== undefined
  }

  start(): void {
    if (this.#life !== undefined) return
    const { network, servers, wired, log, parts, truth, random } = this.#options
    const clock = new HostClock(this.#options.clock)
    const pool = MixedPool.of({ id: this.id, clock, network, servers, wired })
    const peers = (): LogPeer[] => pool.candidates().map(({ peer }) => peer)
    const disk = this.disk.mount(clock)
    const pins = new DiskPins(disk)
    const plain = new DiskJournal(disk)
    const journal: EntryJournal = parts.journal?.(plain) ?? plain
    const witnessed: EntryJournal = {
      load: (author) => journal.load(author),
      clear: (author) => journal.clear(author),
      save: (author, entry) => {
        truth.sign(entry)
        return journal.save(author, entry)
      },
    }
    const reader = new LogReader({
      logId: log.logId,
      peers,
      clock,
      pins: parts.pins?.(pins) ?? pins,
    })
    this.#life = {
      ...{ clock, reader, peers, random, journal: witnessed, writer: undefined, witnesses: [] },
      last: Promise.resolve(),
      underWay: new Set(),
    }
  }

  /** The process ends, and with the power what was not synced. */
  crash(power: boolean): void {
    if (this.#life === undefined) return
    this.#options.judge.died(this.#life.underWay.size > 0)
    this.#life.clock.stop()
    this.#life = undefined
    this.#options.network.detach(this.id, { power })
    if (power) this.disk.cutPower()
    else this.disk.kill()
  }

  /** Its disk is gone, and another in its place. */
  replaceDisk(): void {
    this.disk = this.#newDisk()
  }

  snapshot(): DirectoryNode {
    return this.disk.image.snapshot()
  }

  restore(snapshot: DirectoryNode): void {
    this.disk.image.restore(snapshot)
  }

  /** Carries out `operation` when those before it have ended; nothing while the machine is off. */
  operate(operation: LogOperation): void {
    const life = this.#life
    if (life === undefined) return
    const name = `${operation.kind} ${this.#operations++}`
    life.underWay.add(name)
    life.last = life.last.then(async () => {
      if (life === this.#life) this.#options.journal.write(this.id, name, operation)
      await this.#run(life, operation, name)
      life.underWay.delete(name)
    })
    life.last.catch((error: unknown) => {
      this.#options.judge.broken(error)
    })
  }

  async #run(life: Life, operation: LogOperation, name: string): Promise<void> {
    const { judge, clock } = this.#options
    const fromMs = clock.monotonicMs()
    const span = () => ({ fromMs, toMs: clock.monotonicMs() })
    try {
      if (operation.kind === 'read') {
        const reader = operation.fresh ? this.#freshReader(life) : life.reader
        const view = this.#altered(
          await reader.read({ witnesses: operation.fresh ? [] : life.witnesses }),
        )
        if (!this.#note(life, name, `${view.conclusion.state} ${view.conclusion.answered}`)) return
        judge.read(this.number, operation, view, span())
      } else if (operation.kind === 'attack') {
        await this.#attack(life, operation)
      } else {
        const report = await this.#write(life, operation)
        const lacking = report.servers.flatMap((each) => ('code' in each ? each.reason : []))
        const how = `${report.outcome} ${report.seq} ${lacking.join(', ')}`
        if (!this.#note(life, name, how)) return
        judge.wrote(this.author ?? '', operation, report, span())
        if (report.outcome !== 'committed') life.writer = undefined
        else life.witnesses = this.#witnessesOf(report)
        void this.#settle(life, report, name)
      }
    } catch (error) {
      life.writer = undefined
      if (this.#note(life, name, (error as Error).message)) {
        judge.failed(this.author ?? '', operation, error, span())
      }
    }
  }

  async #write(life: Life, operation: LogOperation): Promise<AppendReport> {
    const report = await this.#offer(life, operation)
    return this.#options.parts.report?.(report) ?? report
  }

  async #offer(life: Life, operation: LogOperation): Promise<AppendReport> {
    const { log, judge, servers } = this.#options
    if (operation.kind === 'append') {
      if (operation.reopen) life.writer = undefined
      life.writer ??= await ChainWriter.open({ ...this.#writing(life), seed: this.#options.seed! })
      const body = this.#options.random.bytes(operation.bodyBytes)
      return life.writer.append('snapshot', () => body)
    }
    const admin = await LogAdmin.open(log.keys, this.#writing(life))
    switch (operation.kind) {
      case 'grant':
        return admin.grant(judge.granting(operation, log.deviceKey(operation.device)))
      case 'revoke': {
        const key = log.deviceKey(operation.device)
        const seq = admin.writer.view.chainOf(key)?.chain.seq ?? 0
        const lastGoodSeq = Math.max(0, seq - operation.back)
        judge.revoking(toHex(key), lastGoodSeq)
        return admin.revoke(key, lastGoodSeq)
      }
      case 'checkpoint':
        return admin.checkpoint()
      case 'move': {
        judge.moving(operation.servers)
        const targets = operation.servers.map((i) => servers[i])
        const ids = new Set(targets.map(({ id }) => id))
        const peers = life.peers().filter(({ id }) => ids.has(id))
        return admin.moveTo(
          targets.map(({ id }) => log.serverKey(id)),
          peers,
        )
      }
      default:
        throw new TypeError(`no such operation: ${operation.kind}`)
    }
  }

  #writing({ reader, peers, journal, clock }: Life) {
    return { reader, peers, journal, clock }
  }

  #witnessesOf({ seq, id, receipts }: AppendReport): Witness[] {
    const author = publicKeyOfSeed(this.#options.seed!)
    return receipts.slice(0, 1).map(({ node }) => ({ kind: 'receipt', author, seq, id, by: node }))
  }

  #freshReader({ peers, clock }: Life): LogReader {
    const { logId } = this.#options.log
    return new LogReader({ logId, peers, clock, pins: new MemoryHeadPins() })
  }

  #altered(view: LogView): LogView {
    return this.#options.parts.view?.(view) ?? view
  }

  async #attack(life: Life, operation: Extract<LogOperation, { kind: 'attack' }>): Promise<void> {
    const { log, judge, random } = this.#options
    const { logId } = log
    const seed = log.deviceSeed(operation.device)
    const key = log.deviceKey(operation.device)
    const view = await this.#freshReader(life).read()
    const head = view.heads.find(({ author }) => toHex(author) === toHex(key))
    const entry = attackEntry(operation.way, { logId, seed, head, salt: `${random.u32()}` })
    judge.attacked(entry, operation)
    const request = { logId, genesis: undefined, entries: [entry] }
    const offers = life.peers().map((peer) => peer.appendEntries(request).catch(() => {}))
    await Promise.all(offers)
  }

  /** The servers beyond the quorum answer too, or are given up. */
  async #settle(life: Life, report: AppendReport, name: string): Promise<void> {
    const settling = `${name}, to settle`
    life.underWay.add(settling)
    const servers = await report.settled
    life.underWay.delete(settling)
    if (this.#note(life, settling, 'ended')) this.#options.judge.settled(report, servers)
  }

  /** Writes down how an operation ended; false where the process that began it is dead. */
  #note(life: Life, name: string, how: string): boolean {
    if (life !== this.#life) return false
    this.#options.journal.write(this.id, name, { how })
    return true
  }

  #newDisk(): SimDisk {
    const random = this.#options.random.fork(`disk ${this.#disks++}`)
    const disk = new SimDisk({ random, latencyMs: 1 })
    disk.image.setEntry(disk.image.root, homeDirectory, newDirectory())
    disk.image.syncDirectory(disk.image.root)
    return disk
  }
}
