/** One log in its directory on disk: its genesis, and a file for each run of entries (docs/specs/log-store.md). */
import path from 'node:path'
import { equalBytes } from '../base/bytes.ts'
import type { Disk, DiskFile } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import { mapWithin } from '../base/limit.ts'
import type { DirectorySync } from './directory-sync.ts'
import { ifPresent, onDisk } from './disk-failure.ts'
import { LogIndex } from './log-index.ts'
import { formatRun, parseRun, RunEntry, runName, tableBytesOf } from './log-run.ts'
import {
  type EntryBytes,
  type EntryRecord,
  maxRunEntries,
  type StoredEntry,
  type StoredLog,
} from './log-store.ts'
import { writeSynced } from './synced-file.ts'

/** Files of one log that are read or written together. */
const filesConcurrency = 16

/** A file that is written and synced, and has no name yet. */
interface NewFile {
  name: string
  temporary: string
}

export interface DiskLogParts {
  disk: Disk
  /** The log's directory; there, and durable. */
  directory: string
  /** Makes the names in it durable. */
  sync: DirectorySync
  genesis: Uint8Array
  /** A new path to write a file at before it gets its name. */
  temporary: (name: string) => string
  /** Paths that are there and not durable, and could not be taken away: not shown. */
  hidden: Set<string>
  /** Nobody else adds to the directory once it is open. */
  alone: boolean
}

export class DiskLog implements StoredLog {
  readonly #parts: DiskLogParts
  readonly #index = new LogIndex<RunEntry>()
  /** Names of files that the index has, or that are on their way to it. */
  readonly #known = new Set<string>()

  constructor(parts: DiskLogParts) {
    this.#parts = parts
  }

  /** Finds what is there: what a crash may have left without a sync is made durable first. */
  async open(): Promise<void> {
    await this.#parts.sync.run()
    await this.#look()
  }

  /** Makes the genesis durable, in a directory that is empty. */
  async begin(name: string): Promise<void> {
    const { disk, temporary, genesis } = this.#parts
    const file = { name, temporary: temporary(name) }
    await writeSynced(disk, file.temporary, [genesis])
    await this.#publish([file])
  }

  get genesis(): Uint8Array {
    return this.#parts.genesis
  }

  get bytes(): number {
    return this.#index.bytes
  }

  /** Takes in what another process has added, if there may be one; resolves to whether it did. */
  async refresh(): Promise<boolean> {
    return !this.#parts.alone && this.#look()
  }

  /** Names in the directory become durable before they are shown: a crash, or another process, may have left them otherwise. */
  async #look(): Promise<boolean> {
    const { disk, directory, sync, hidden } = this.#parts
    const names = await onDisk('read', disk.readDirectory(directory))
    const fresh = names.filter(
      (name) => !this.#known.has(name) && !hidden.has(path.join(directory, name)),
    )
    const runs = fresh.filter((name) => tableBytesOf(name) !== undefined)
    if (runs.length === 0) return false
    await sync.run()
    const loaded = await mapWithin(filesConcurrency, runs, (name) => this.#load(name))
    for (const name of runs) this.#known.add(name)
    this.#index.add(loaded.flat())
    return true
  }

  authors(): Uint8Array[] {
    return this.#index.authors()
  }

  chain(author: Uint8Array): readonly StoredEntry[] {
    return this.#index.chain(author)
  }

  forks(author: Uint8Array): readonly StoredEntry[] {
    return this.#index.forks(author)
  }

  async read(entry: StoredEntry, withBody: boolean): Promise<EntryBytes> {
    if (!(entry instanceof RunEntry)) throw new TypeError('log: an entry of another store')
    const { run, position, headBytes, bodyBytes } = entry
    const wanted = headBytes + (withBody ? (bodyBytes ?? 0) : 0)
    const bytes = await this.#withFile(run, (file) => file.read(position, wanted))
    const head = bytes.subarray(0, headBytes)
    const body = withBody && bodyBytes !== undefined ? bytes.subarray(headBytes) : undefined
    if (bytes.length === wanted && entry.isSound({ head, body })) return { head, body }
    throw new GridError('E_IO', 'an entry is damaged on this server’s disk', {
      facts: { damaged: true },
    })
  }

  /** Each run is written and synced under a temporary name; then all get their names, under one sync. */
  async append(records: readonly EntryRecord[]): Promise<void> {
    const runs = runsOf(records).map((entries) => ({ entries, name: runName(entries) }))
    const written: NewFile[] = []
    try {
      await mapWithin(filesConcurrency, runs, async ({ name, entries }) => {
        const file = { name, temporary: this.#parts.temporary(name) }
        await writeSynced(this.#parts.disk, file.temporary, formatRun(entries))
        written.push(file)
      })
    } catch (error) {
      for (const { temporary } of written) await this.#parts.disk.unlink(temporary).catch(() => {})
      throw error
    }
    await this.#publish(written)
    this.#index.add(runs.flatMap(({ entries, name }) => entriesOf(name, entries)))
  }

  /**
   * Gives synced files their names. Unless all can be made durable none stays, but hidden if it
   * cannot be taken away.
   */
  async #publish(files: readonly NewFile[]): Promise<void> {
    const { disk, directory, sync, hidden } = this.#parts
    for (const { name } of files) this.#known.add(name)
    try {
      for (const { name, temporary } of files) {
        await onDisk('write', disk.rename(temporary, path.join(directory, name)))
      }
      await sync.run()
    } catch (error) {
      for (const { name, temporary } of files) {
        const target = path.join(directory, name)
        await disk.unlink(temporary).catch(() => {})
        await ifPresent(disk.unlink(target), 'write').catch(() => hidden.add(target))
      }
      throw error
    }
  }

  /** What a file holds; nothing where its table is damaged, as if the medium had lost it. */
  async #load(name: string): Promise<RunEntry[]> {
    return this.#withFile(name, async (file) => {
      const table = await file.read(0, tableBytesOf(name)!)
      return parseRun(name, table, await file.size()) ?? []
    })
  }

  async #withFile<T>(name: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const { disk, directory } = this.#parts
    const file = await onDisk('read', disk.openRead(path.join(directory, name)))
    try {
      return await onDisk('read', work(file))
    } finally {
      await file.close().catch(() => {})
    }
  }
}

/** Cuts `records` where another chain begins, a number is left out, or a run is full. */
function runsOf(records: readonly EntryRecord[]): EntryRecord[][] {
  const runs: EntryRecord[][] = []
  for (const record of records) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const isFull = run?.length === maxRunEntries
    if (run !== undefined && last !== undefined && !isFull && isNext(last, record)) run.push(record)
    else runs.push([record])
  }
  return runs
}

function isNext(last: EntryRecord, record: EntryRecord): boolean {
  const sameChain = equalBytes(last.author, record.author) && last.fork === record.fork
  return sameChain && last.seq + 1 === record.seq
}

/** What the index is to hold of entries that were just written. */
function entriesOf(name: string, records: readonly EntryRecord[]): RunEntry[] {
  const [table, ...parts] = formatRun(records)
  const fileBytes = parts.reduce((sum, part) => sum + part.length, table.length)
  return parseRun(name, table, fileBytes)!
}
