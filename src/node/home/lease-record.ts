/**
 * `<home>/leases/`: when what this home put without an account was put, or renewed, so that it can be
 * said when leases end. Servers list such leases to nobody, so this is all that a home knows of them.
 *
 * Every file is written once, by one process, and what several say is put together by names: processes
 * need not wait for each other, and what two of them put together twice is the same. The folder is made
 * with the home: where it was not, what was put before is not known.
 */
import path from 'node:path'
import { toBase32 } from '../../base/base32.ts'
import type { Clock } from '../../base/clock.ts'
import { type Disk, isDiskError } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import {
  addLeaseRow,
  formatLeaseRows,
  leaseNameOf,
  type LeaseRow,
  type LeaseRows,
  parseLeaseRows,
  tidyLeaseRows,
} from './lease-rows.ts'
import { RecordFolder } from './record-folder.ts'

export interface LeaseRecordOptions {
  disk: Disk
  random: Random
  clock: Clock
  /** `leases` of a home. */
  path: string
}

export const dayMs = 86_400_000
/** What servers give unless their operators say otherwise: see `storage.lease_days`. */
export const usualLeaseMs: number = 365 * dayMs
/** What is remembered after a lease's end: as long as servers keep what nobody holds. */
export const leaseGraceMs: number = 30 * dayMs
/** Of the rows that fit one file, with room. */
const maxFileBytes = 16 * 2 ** 20
/** So many are put into one. */
const filesTogether = 16
/** What is put within this time is written together: a power cut may take the memory of it. */
const flushMs = 1000
/** Who renews many reads the record once in this time. */
const knownMs = 60_000
const maxAttempts = 10
const filePattern = /^[a-z2-7]{16}\.json$/

export class LeaseRecord {
  readonly #options: LeaseRecordOptions
  readonly #folder: RecordFolder
  #pending = new Map<string, LeaseRow>()
  #flushedMs: number | undefined
  #known: { atMs: number; rows: LeaseRows['rows'] | undefined } | undefined

  constructor(options: LeaseRecordOptions) {
    this.#options = options
    this.#folder = new RecordFolder(options)
  }

  /**
   * Remembers that objects were put, or renewed at every server, now; on disk within a second, or when
   * it is closed. @param verifyCap - the line of what they are of @throws E_IO
   */
  async note(verifyCap: string, objects: number): Promise<void> {
    const { clock } = this.#options
    const atMs = Math.max(0, Math.floor(clock.nowMs()))
    addLeaseRow(this.#pending, leaseNameOf(verifyCap), { objects, firstMs: atMs, lastMs: atMs })
    const sinceMs = clock.monotonicMs() - (this.#flushedMs ?? -Infinity)
    if (sinceMs >= flushMs) await this.#flush()
  }

  /** The same for what was put from here alone; others have their own record of it. @throws E_IO */
  async renew(verifyCap: string): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#known === undefined || nowMs - this.#known.atMs >= knownMs)
      this.#known = { atMs: nowMs, rows: (await this.read())?.rows }
    const known = this.#known.rows?.get(leaseNameOf(verifyCap))
    if (known !== undefined) await this.note(verifyCap, known.objects)
  }

  /** All that is remembered; undefined where there is no record. @throws E_IO, also for a damaged file */
  async read(): Promise<LeaseRows | undefined> {
    for (let attempt = 1; ; attempt++) {
      const names = await this.#names()
      if (names === undefined) return undefined
      const all: LeaseRows = { rows: new Map(), sinceMs: undefined }
      let isWhole = true
      for (const name of names) isWhole = (await this.#add(all, name)) && isWhole
      // what is gone another process has put together with others, in a file that was not listed yet
      if (isWhole) return all
      if (attempt === maxAttempts)
        throw new GridError('E_IO', `${this.#folder.path} is being written all the time`)
    }
  }

  /** Writes what is not yet on disk. @throws E_IO */
  async close(): Promise<void> {
    if (this.#pending.size > 0) await this.#flush()
  }

  async #flush(): Promise<void> {
    const rows = this.#pending
    this.#pending = new Map()
    this.#flushedMs = this.#options.clock.monotonicMs()
    try {
      await this.#write(new Map(rows))
    } catch (error) {
      for (const [name, row] of rows) addLeaseRow(this.#pending, name, row)
      throw error
    }
  }

  async #write(rows: Map<string, LeaseRow>): Promise<void> {
    const { clock } = this.#options
    const names = await this.#names()
    // a home that began without it
    const sinceMs = names === undefined ? Math.max(0, Math.floor(clock.nowMs())) : undefined
    const all: LeaseRows = { rows, sinceMs }
    const isCrowded = names !== undefined && names.length >= filesTogether
    if (isCrowded) for (const name of names) await this.#add(all, name)
    const goneMs = clock.nowMs() - usualLeaseMs - leaseGraceMs
    const tidied = isCrowded ? { ...all, rows: tidyLeaseRows(all.rows, goneMs) } : all
    await this.#folder.write(this.#newName(), formatLeaseRows(tidied))
    if (isCrowded) for (const name of names) await this.#folder.remove(name)
  }

  /** Whether the file is still there. */
  async #add(all: LeaseRows, name: string): Promise<boolean> {
    const bytes = await this.#folder.read(name, maxFileBytes)
    if (bytes === undefined) return false
    const said = parseLeaseRows(bytes)
    if (said === undefined)
      throw new GridError('E_IO', `${path.join(this.#folder.path, name)} is damaged`)
    for (const [key, row] of said.rows) addLeaseRow(all.rows, key, row)
    if (said.sinceMs !== undefined)
      all.sinceMs = Math.min(all.sinceMs ?? said.sinceMs, said.sinceMs)
    return true
  }

  async #names(): Promise<string[] | undefined> {
    try {
      const names = await this.#options.disk.readDirectory(this.#folder.path)
      return names.filter((name) => filePattern.test(name))
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw new GridError('E_IO', `cannot read ${this.#folder.path}`, { cause: error })
    }
  }

  #newName(): string {
    return `${toBase32(this.#options.random.bytes(10))}.json`
  }
}
