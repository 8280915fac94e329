/** Processes of a test that keep holds: a journal on a simulated disk, and an index in memory. */
import path from 'node:path'
import { applyRecord } from '../../../src/storage/holds/apply-record.ts'
import {
  DiskHoldJournal,
  type JournalLimits,
} from '../../../src/storage/holds/disk-hold-journal.ts'
import { accountHolder, type Holder, payerHolder } from '../../../src/storage/holds/held-object.ts'
import type { HoldIndex } from '../../../src/storage/holds/hold-index.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import type { Disk } from '../../../src/base/disk.ts'
import type { Trace } from '../../../src/base/trace.ts'
import { Machine } from '../machine.ts'
import { indexOf } from '../../suites/share-store.ts'

export const directory = 'home/storage/holds'
export const account: Holder = accountHolder(new Uint8Array(32).fill(1))
export const author: Uint8Array = new Uint8Array(32).fill(2)

export function touchOf(number: number, atMs: number): HoldRecord {
  const payer = number % 2 === 0 ? undefined : payerHolder(author)
  const hold = { storageIndex: indexOf(number), chargedBytes: 5000, touchedMs: atMs, expiresMs: 0 }
  return { kind: 'held', atMs, holder: account, payer, holds: [hold] }
}

export function releaseOf(
  releaseSeq: number,
  atMs: number,
  numbers: readonly number[],
  cutoffMs: number = atMs,
): HoldRecord {
  const storageIndexes = numbers.map((number) => indexOf(number))
  return { kind: 'released', atMs, account, author, releaseSeq, cutoffMs, storageIndexes }
}

export interface KeeperOptions {
  writer?: string
  /** Names of processes that run. */
  running?: readonly string[]
  around?: (disk: Disk) => Disk
  limits?: JournalLimits
  trace?: Trace
}

/** A process that keeps holds: a journal, and an index in memory. */
export class Keeper {
  readonly journal: DiskHoldJournal
  readonly index: MemoryHoldIndex

  /** @param index - of its own, unless other processes share it */
  constructor(journal: DiskHoldJournal, index: MemoryHoldIndex = new MemoryHoldIndex()) {
    this.journal = journal
    this.index = index
  }

  static async start(
    machine: Machine,
    { writer = '1', running = [], around = (disk) => disk, limits, trace }: KeeperOptions = {},
  ): Promise<Keeper> {
    const disk = around(machine.disk.mount(machine.clock))
    const writers = { own: writer, isRunning: (name: string) => running.includes(name) }
    const { clock } = machine
    const open = DiskHoldJournal.open({ disk, directory, clock, writers, limits, trace })
    const keeper = new Keeper(await machine.run(open))
    await machine.run(keeper.journal.replay(keeper.index))
    return keeper
  }

  async add(record: HoldRecord, durable = true): Promise<void> {
    await this.index.change((writer) => applyRecord(writer, record))
    await this.journal.append([record], { durable })
  }

  /** As releases and deletions are: recorded first. */
  async addFirst(record: HoldRecord): Promise<void> {
    const unpin = this.journal.pin()
    try {
      await this.journal.append([record], { durable: true })
      await this.index.change((writer) => applyRecord(writer, record))
    } finally {
      unpin()
    }
  }
}

export function stateOf(index: HoldIndex): unknown {
  const { objects } = index.page({ after: undefined, limit: 10_000 })
  return { objects, releases: index.releases(), totals: index.totals(account) }
}

/** With a share store, which has made its directory durable. */
export async function machineOf(seed: string): Promise<Machine> {
  const machine = await new Machine(seed).init()
  await machine.restart()
  return machine
}

/** A segment holds about four records of one hold. */
export const smallLimits: JournalLimits = { segmentBytes: 600, endedBytes: 1200 }
export const objectCount = 8

/** Merges that a trace was told of. */
export function watched(): {
  merged: number[]
  failed: number
  trace: { event(name: string): void }
} {
  const seen = {
    merged: [] as number[],
    failed: 0,
    trace: {
      event(name: string, facts: { bytes?: number } = {}) {
        if (name === 'storage.journal-merged') seen.merged.push(facts.bytes ?? 0)
        if (name === 'storage.journal-not-merged') seen.failed++
      },
    },
  }
  return seen
}

export async function filesOf(machine: Machine, disk: Disk): Promise<Map<string, number>> {
  const names = await machine.run(disk.readDirectory(directory))
  const sizes = new Map<string, number>()
  for (const name of names.sort()) {
    sizes.set(name, await machine.run(disk.fileSize(path.join(directory, name))))
  }
  return sizes
}

/** Touches the same few objects again and again. */
export async function touchMuch(keeper: Keeper, startMs: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await keeper.add(touchOf(i % objectCount, startMs + 10 * i))
}

/** Touches one object. */
export async function touchUntil(keeper: Keeper, isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !isDone(); i++) await keeper.add(touchOf(7, 5000 + 10 * i))
}
