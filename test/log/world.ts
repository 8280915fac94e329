/** A log, its servers in memory, and time that tests turn; every seed is fixed. */
import type { Clock } from '../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { sha256 } from '../../src/base/hash.ts'
import { utf8 } from '../../src/base/bytes.ts'
import type { Random } from '../../src/base/random.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import { ChainWriter, type ChainWriterOptions } from '../../src/log/chain-writer.ts'
import type { RateLimits, Right } from '../../src/log/certificate.ts'
import { Device } from '../../src/log/device.ts'
import { type EntryJournal, MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { type HeadPins, MemoryHeadPins } from '../../src/log/head-pins.ts'
import { createLog, founded, LogAdmin, type NewLog } from '../../src/log/log-admin.ts'
import type { LogPeer } from '../../src/log/log-peer.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { MemoryLogPeer } from '../../src/log/memory-log-peer.ts'
import type { AppendReport } from '../../src/log/quorum-append.ts'
import type { Snapshot, SnapshotCheck } from '../../src/log/snapshot-body.ts'

/** Deadlines pass 500 times faster; the wall clock is turned by hand. */
export class TestClock implements Clock {
  wallMs = 1_700_000_000_000

  nowMs(): number {
    return this.wallMs
  }

  monotonicMs(): number {
    return performance.now()
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, delayMs / 500)
    return () => clearTimeout(timer)
  }
}

export class CountingRandom implements Random {
  #count = 0

  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += 32) {
      out.set(sha256(utf8(`random ${this.#count++}`)).subarray(0, length - at), at)
    }
    return out
  }
}

export const seedOf = (name: string): Uint8Array => sha256(utf8(`seed of ${name}`))
export const keyOf = (name: string): Uint8Array => publicKeyOfSeed(seedOf(name))
export const plenty: RateLimits = { bytesPer30Days: 2 ** 40, entriesPerDay: 10_000 }

export function snapshotOf(label: string, parents: Uint8Array[] = []): [Snapshot, SnapshotCheck] {
  const totals = { bytes: 1, files: 1, directories: 1, objects: 1 }
  const cap = {
    type: 'DIR-CHK',
    readKey: seedOf(label),
    root: seedOf('root'),
    k: 3,
    n: 10,
    sliceBytes: 100,
    offsetBytes: 0,
  } as const
  const facts = { host: 'h', label, paths: [utf8('/home')], tool: 'grid', totals, partial: false }
  return [
    { cap, parents, ...facts },
    { cap: attenuate(cap, 'DIR-CHK-Verifier'), totals },
  ]
}

/** A log on `serverCount` honest servers, each behind a peer that a test may replace. */
export class World {
  readonly clock: TestClock = new TestClock()
  readonly random: CountingRandom = new CountingRandom()
  readonly servers: MemoryLogPeer[]
  /** What clients reach. */
  peers: LogPeer[]
  readonly log: NewLog

  constructor(serverCount: number, parameters: { of?: number } = {}) {
    this.servers = Array.from({ length: serverCount }, (_, i) => this.server(`server ${i}`))
    this.peers = [...this.servers]
    const members = this.servers.slice(0, parameters.of ?? serverCount)
    this.log = createLog(seedOf('admin'), {
      servers: members.map(({ publicKey }) => publicKey),
      profile: 'cdc',
      createdMs: 1_700_000_000_000,
    })
  }

  get cap(): CapOf<'LOG-Admin'> {
    return this.log.cap
  }

  get logId(): Uint8Array {
    return this.log.cap.logId
  }

  server(name: string): MemoryLogPeer {
    return new MemoryLogPeer({ seed: seedOf(name), clock: this.clock })
  }

  /** Gives the genesis to all, and certificates to devices of these names. */
  async found(...devices: string[]): Promise<LogAdmin> {
    await founded(this.log, this.peers)
    const admin = await this.admin()
    for (const name of devices) await this.grant(admin, name)
    return admin
  }

  grant(
    admin: LogAdmin,
    name: string,
    limits: RateLimits = plenty,
    rights: Right[] = ['append', 'put', 'renew'],
  ): Promise<AppendReport> {
    return admin.grant({ subject: keyOf(name), rights, limits, label: name })
  }

  reader(pins: HeadPins = new MemoryHeadPins()): LogReader {
    return new LogReader({ logId: this.logId, peers: () => this.peers, clock: this.clock, pins })
  }

  admin(): Promise<LogAdmin> {
    return LogAdmin.open(this.log.keys, this.writing())
  }

  writer(name: string, journal: EntryJournal = new MemoryEntryJournal()): Promise<ChainWriter> {
    return ChainWriter.open({ ...this.writing(), journal, seed: seedOf(name) })
  }

  device(name: string, journal: EntryJournal = new MemoryEntryJournal()): Promise<Device> {
    const { random } = this
    return Device.open({ ...this.writing(), journal, seed: seedOf(name), random })
  }

  /** All that a writer takes but its key. */
  writing(): Omit<ChainWriterOptions, 'seed'> {
    return {
      reader: this.reader(),
      peers: () => this.peers,
      journal: new MemoryEntryJournal(),
      clock: this.clock,
    }
  }
}

/** A peer that answers as `other` does, but for what `changed` says. */
export function behaving(other: LogPeer, changed: Partial<Omit<LogPeer, 'id'>>): LogPeer {
  return {
    id: other.id,
    appendEntries: changed.appendEntries ?? ((...args) => other.appendEntries(...args)),
    readLog: changed.readLog ?? ((...args) => other.readLog(...args)),
  }
}

const never = (): Promise<never> => new Promise(() => {})

export function silent(peer: LogPeer): LogPeer {
  return behaving(peer, { appendEntries: never, readLog: never })
}
