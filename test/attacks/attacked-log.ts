/** A log on virtual time, whose servers misbehave as a test says. */
import assert from 'node:assert/strict'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { ChainWriter, type ChainWriterOptions } from '../../src/log/chain-writer.ts'
import type { RateLimits, Right } from '../../src/log/certificate.ts'
import { Device } from '../../src/log/device.ts'
import { MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { type HeadPins, MemoryHeadPins } from '../../src/log/head-pins.ts'
import { createLog, founded, LogAdmin, type NewLog } from '../../src/log/log-admin.ts'
import type { AppendVerdict, HandedEntry, KeptEntry, LogPeer } from '../../src/log/log-peer.ts'
import { minReadBytes } from '../../src/log/log-peer.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import type { LogView } from '../../src/log/log-view.ts'
import { type Fault, FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { CountingRandom, keyOf, plenty, seedOf, snapshotOf } from '../log/world.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { TestAuthor } from '../suites/test-log.ts'

/** Far more than any operation may take. */
const patienceMs = 600_000

export class AttackedLog {
  readonly clock: SimClock = new SimClock(new SimRandom('attacked log'))
  /** Every server, in order of its number. */
  readonly servers: FaultyPeer[] = []
  readonly log: NewLog
  /** What clients reach. */
  peers: LogPeer[]
  readonly #random = new CountingRandom()

  private constructor(serverCount: number, name: string) {
    const { clock } = this
    for (let i = 0; i < serverCount; i++) {
      const peer = new LocalPeer({
        id: peerIdOf(keyOf(`server ${i}`)),
        store: new MemoryStore(),
        logs: { store: new MemoryLogStore(), seed: seedOf(`server ${i}`) },
        clock,
        reserveBytes: 0,
      })
      this.servers.push(new FaultyPeer({ peer, clock, random: new SimRandom(`faults ${i}`) }))
    }
    this.peers = [...this.servers]
    this.log = createLog(seedOf(name), {
      servers: this.servers.map((_, i) => keyOf(`server ${i}`)),
      profile: 'cdc',
      createdMs: clock.nowMs(),
    })
  }

  /** A log on so many servers, on which these devices may write. */
  static async of(
    serverCount = 10,
    devices: string[] = ['laptop'],
    name = 'admin',
  ): Promise<AttackedLog> {
    const attacked = new AttackedLog(serverCount, name)
    await attacked.run(founded(attacked.log, attacked.peers))
    for (const device of devices) await attacked.grant(device)
    return attacked
  }

  get logId(): Uint8Array {
    return this.log.cap.logId
  }

  /** Makes the first `count` servers misbehave, each in its own copy of a fault; the others are honest. */
  corrupt(count: number, fault: (i: number) => Fault): void {
    for (const [i, server] of this.servers.entries()) {
      server.fault = i < count ? fault(i) : undefined
    }
  }

  async grant(
    name: string,
    rights: Right[] = ['append'],
    limits: RateLimits = plenty,
  ): Promise<void> {
    const grant = { subject: keyOf(name), rights, limits, label: name }
    const { settled } = await this.run((await this.admin()).grant(grant))
    await this.run(settled)
  }

  async revoke(name: string, lastGoodSeq?: number): Promise<void> {
    const { settled } = await this.run((await this.admin()).revoke(keyOf(name), lastGoodSeq))
    await this.run(settled)
  }

  admin(): Promise<LogAdmin> {
    return this.run(LogAdmin.open(this.log.keys, this.#writing()))
  }

  /** Opens a device and appends a snapshot; resolves when every server has it. */
  async append(name: string, label = 'a snapshot'): Promise<void> {
    const device = await this.device(name)
    const report = await this.run(device.append(...snapshotOf(label)))
    assert.equal(report.outcome, 'committed')
    await this.run(report.settled)
  }

  device(name: string): Promise<Device> {
    const parts = { ...this.#writing(), seed: seedOf(name), random: this.#random }
    return this.run(Device.open(parts))
  }

  writer(name: string): Promise<ChainWriter> {
    return this.run(ChainWriter.open({ ...this.#writing(), seed: seedOf(name) }))
  }

  read(pins: HeadPins = new MemoryHeadPins()): Promise<LogView> {
    return this.run(this.reader(pins).read())
  }

  reader(pins: HeadPins = new MemoryHeadPins()): LogReader {
    const { clock, logId } = this
    return new LogReader({ logId, peers: () => this.peers, clock, pins })
  }

  /** All that server `i` shows of the chain of `name`, or of the admin. */
  async entriesAt(i: number, name?: string): Promise<readonly KeptEntry[]> {
    const author = name === undefined ? this.log.keys.adminKey : keyOf(name)
    const { entries } = await this.run(
      this.servers[i].readLog({
        logId: this.logId,
        ranges: [{ author, firstSeq: 1, lastSeq: 1000 }],
        ...{ genesis: false, others: false, bodies: 'all', receipts: true },
        maxBytes: minReadBytes,
      }),
    )
    return entries
  }

  /** What server 0 makes of `entries`: the verdict on the last that it looked at. */
  async offer(...entries: Omit<HandedEntry, 'receipts'>[]): Promise<AppendVerdict> {
    const handed = entries.map((entry) => ({ ...entry, receipts: [] }))
    const request = { logId: this.logId, genesis: undefined, entries: handed }
    const { verdicts } = await this.run(this.servers[0].appendEntries(request))
    return verdicts[verdicts.length - 1]
  }

  /** Lets time pass until `work` has ended; fails when it does not. */
  async run<T>(work: Promise<T>): Promise<T> {
    let ended = false
    const end = (): void => {
      ended = true
    }
    work.then(end, end)
    await this.clock.run({
      done: () => ended,
      untilMs: this.clock.monotonicMs() + patienceMs,
    })
    assert.ok(ended, 'it never ends')
    return work
  }

  #writing(): Omit<ChainWriterOptions, 'seed'> {
    return {
      reader: this.reader(),
      peers: () => this.peers,
      journal: new MemoryEntryJournal(),
      clock: this.clock,
    }
  }
}

/** A log on four servers, with three entries of the laptop; and the laptop's key in the hands of a thief, who knows them. */
export async function withThief(): Promise<{ attacked: AttackedLog; thief: TestAuthor }> {
  const attacked = await AttackedLog.of(4)
  const thief = new TestAuthor(seedOf('laptop'), attacked.logId)
  for (let i = 0; i < 3; i++) thief.snapshot()
  for (let i = 0; i < 4; i++) {
    const request = { logId: attacked.logId, genesis: undefined, entries: thief.entries }
    await attacked.run(attacked.servers[i].appendEntries(request))
  }
  return { attacked, thief }
}

/** Of a view: what it concludes, and how far the chain of `name` goes. */
export function seen(view: LogView, name = 'laptop'): [state: string, seq: number] {
  return [view.conclusion.state, view.chainOf(keyOf(name))?.chain.seq ?? 0]
}

export const codeIs =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    isGridError(error, code)

/** The code that a verdict refuses with, or its outcome. */
export function codeOf(verdict: AppendVerdict): string {
  return verdict.outcome === 'refused' ? verdict.code : verdict.outcome
}
