/**
 * The files of a journal of holds: `<when it began>.<writer>.<serial>.journal`, the time in ms with
 * 15 digits, so that names sort by time. Each begins with "GHJ1"; records follow end to end, and
 * what stands behind the first that is torn or damaged counts as not there.
 */
import path from 'node:path'
import { concat, equalBytes, utf8 } from '../../base/bytes.ts'
import type { Disk, DiskFile } from '../../base/disk.ts'
import { ifPresent, onDisk } from '../disk-failure.ts'
import {
  closedBytes,
  formatRecord,
  type HoldRecord,
  maxRecordBytes,
  readRecord,
} from './hold-record.ts'

const magic: Uint8Array = utf8('GHJ1')
const pattern = /^[0-9]{15}\.([A-Za-z0-9]+)\.[0-9]+\.journal$/
/** What the name of a segment ends with that is written as a whole, and is none before it is. */
const unfinishedSuffix = '.new'
/** Read at once: all segments that are read again are open together. */
const windowBytes = 256 * 1024

/** Where the first record of a segment stands. */
export const firstRecordAt: number = magic.length

export function segmentName(startedMs: number, writer: string, serial: number): string {
  return `${String(Math.max(0, Math.floor(startedMs))).padStart(15, '0')}.${writer}.${serial}.journal`
}

/** Who writes, or wrote, the segment of this name; undefined for another file. */
export function writerOf(name: string): string | undefined {
  return pattern.exec(name)?.[1]
}

/** Under what name the segment is written until it is whole. */
export function unfinishedName(name: string): string {
  return name + unfinishedSuffix
}

/** Who writes, or wrote, what is under this name until it is whole; undefined for another file. */
export function unfinishedWriterOf(name: string): string | undefined {
  return name.endsWith(unfinishedSuffix)
    ? writerOf(name.slice(0, -unfinishedSuffix.length))
    : undefined
}

/** A segment that nobody writes any more. */
export interface EndedSegment {
  name: string
  bytes: number
  /** Whether its last record says that it is. */
  isClosed: boolean
  /** Latest time in it, ms, where it is closed; 0 otherwise. */
  lastMs: number
}

/**
 * Looks at the end of a segment alone. One that was not closed is synced first: what its process only
 * wrote must not be believed now and be gone after a power cut. Undefined where there is none any more.
 */
export async function endedSegment(
  disk: Disk,
  directory: string,
  name: string,
): Promise<EndedSegment | undefined> {
  return withFile(disk, path.join(directory, name), async (file) => {
    const bytes = await file.size()
    const at = Math.max(0, bytes - closedBytes)
    const last = readRecord(await file.read(at, closedBytes), name, at)
    const isClosed = last?.record.kind === 'closed'
    if (!isClosed) await file.sync()
    return { name, bytes, isClosed, lastMs: isClosed ? last.record.atMs : 0 }
  })
}

/** Its records from `offset` on, 0 for all, each with where it ends. None where there is no such file. */
export async function* recordsOf(
  disk: Disk,
  directory: string,
  name: string,
  offset: number,
): AsyncGenerator<{ record: HoldRecord; end: number }> {
  const file = await ifPresent(disk.openRead(path.join(directory, name)))
  if (file === undefined) return
  try {
    const head = await onDisk('read', file.read(0, magic.length))
    if (!equalBytes(head, magic)) return
    let at = Math.max(offset, firstRecordAt)
    let bytes: Uint8Array = new Uint8Array(0)
    for (;;) {
      const found = readRecord(bytes, name, at)
      if (found !== undefined) {
        at += found.recordBytes
        bytes = bytes.subarray(found.recordBytes)
        yield { record: found.record, end: at }
        continue
      }
      if (bytes.length >= maxRecordBytes) return
      const more = await onDisk('read', file.read(at + bytes.length, windowBytes))
      if (more.length === 0) return
      bytes = concat(bytes, more)
    }
  } finally {
    await file.close().catch(() => {})
  }
}

/** The segment that this process writes. After a failure it is of no more use. */
export class SegmentWriter {
  readonly name: string
  readonly #file: DiskFile
  #end = firstRecordAt
  #isSynced = true

  private constructor(name: string, file: DiskFile) {
    this.name = name
    this.#file = file
  }

  /**
   * Makes a segment, durably; under another name than its own, if one is given, for as long as it is not
   * whole. Throws E_FULL, E_IO.
   */
  static async create(
    disk: Disk,
    directory: string,
    name: string,
    fileName: string = name,
  ): Promise<SegmentWriter> {
    const place = path.join(directory, fileName)
    const file = await onDisk('write', disk.create(place))
    try {
      await onDisk('write', file.write([magic], 0))
      await onDisk('sync', file.sync())
      await onDisk('sync', disk.syncDirectory(directory))
      return new SegmentWriter(name, file)
    } catch (error) {
      await file.close().catch(() => {})
      // on a full disk each touch would leave one more
      await disk.unlink(place).catch(() => {})
      throw error
    }
  }

  /** Where the next record will stand. */
  get end(): number {
    return this.#end
  }

  get isSynced(): boolean {
    return this.#isSynced
  }

  /** Throws E_FULL, E_IO. */
  async write(records: readonly HoldRecord[]): Promise<void> {
    const start = this.#end
    const pieces = records.map((record) => {
      const bytes = formatRecord(record, this.name, this.#end)
      this.#end += bytes.length
      return bytes
    })
    this.#isSynced = false
    await onDisk('write', this.#file.write(pieces, start))
  }

  async sync(): Promise<void> {
    await onDisk('sync', this.#file.sync())
    this.#isSynced = true
  }

  async close(): Promise<void> {
    await onDisk('sync', this.#file.close())
  }
}

async function withFile<T>(
  disk: Disk,
  file: string,
  work: (file: DiskFile) => Promise<T>,
): Promise<T | undefined> {
  const open = await ifPresent(disk.openRead(file))
  if (open === undefined) return undefined
  try {
    return await onDisk('read', work(open))
  } finally {
    await open.close().catch(() => {})
  }
}
