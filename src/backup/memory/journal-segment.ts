/**
 * The journal of one session (docs/specs/backup-cache.md, "Journal"): a file of sealed records, and
 * a file with their key. Record 0 says what the others depend on.
 *
 *   u32 length ‖ sealed record
 */
import { concat, equalBytes, readU32be, u32be } from '../../base/bytes.ts'
import { isGridError } from '../../base/errors.ts'
import type { CacheFile, CacheFolder } from './cache-folder.ts'
import { type CacheHeader, formatHeader, parseHeader } from './cache-layout.ts'
import { createKey, destroyKey, readKey } from './cache-runs.ts'
import { damagedCache, openPage, sealBytes, sealPage } from './sealed-page.ts'

const pattern = /^([1-9][0-9]{0,14})\.journal(?:\.key)?$/
const lengthBytes = 4

/** The numbers of all sessions that left anything, the first one first. */
export async function segmentsIn(folder: CacheFolder): Promise<number[]> {
  const numbers = new Set<number>()
  for (const name of await folder.list()) {
    const number = pattern.exec(name)?.[1]
    if (number !== undefined) numbers.add(Number(number))
  }
  return [...numbers].sort((a, b) => a - b)
}

/** Destroys what opens a segment, then the segment. Nothing if there is none. */
export async function destroySegment(folder: CacheFolder, number: number): Promise<void> {
  await destroyKey(folder, keyName(number))
  await folder.remove(segmentName(number))
}

/** What an earlier session wrote, as far as it is whole. */
export class JournalSegment {
  readonly #folder: CacheFolder
  readonly #number: number
  readonly #key: Uint8Array
  /** Where the sealed bytes of each record start and end. */
  readonly #places: { start: number; end: number }[] = []

  private constructor(folder: CacheFolder, number: number, key: Uint8Array) {
    this.#folder = folder
    this.#number = number
    this.#key = key
  }

  /**
   * Reads a segment and gives its records to `take`, from 1, up to the first that is torn or damaged.
   * Undefined if it is of another journal than this header's, or nothing of it can be read.
   */
  static open(
    folder: CacheFolder,
    number: number,
    header: CacheHeader,
    take: (segment: JournalSegment, record: number, bytes: Uint8Array) => void,
  ): JournalSegment | undefined {
    const key = readKey(folder, keyName(number))
    const file = key && folder.open(segmentName(number))
    if (file === undefined) return undefined
    const segment = new JournalSegment(folder, number, key!)
    try {
      if (!segment.#begins(file, header)) return undefined
      for (let bytes = segment.#next(file); bytes !== undefined; bytes = segment.#next(file))
        take(segment, segment.#places.length - 1, bytes)
    } catch (error) {
      if (!isGridError(error, 'E_CACHE', 'E_IO')) throw error
    } finally {
      file.close()
    }
    return segment.#places.length > 0 ? segment : undefined
  }

  /** A record that was given out before. Throws E_CACHE, E_IO. */
  record(record: number): Uint8Array {
    const file = this.#folder.open(segmentName(this.#number))
    if (file === undefined) throw damagedCache('a journal that was removed')
    try {
      const { start, end } = this.#places[record]
      return openPage(this.#key, 'journal', record, file.read(start, end - start))
    } finally {
      file.close()
    }
  }

  forget(): void {
    this.#key.fill(0)
  }

  #begins(file: CacheFile, { basis, keys }: CacheHeader): boolean {
    const first = this.#next(file)
    const header = first && parseHeader(first)
    return header?.keys === keys && equalBytes(header.basis, basis)
  }

  #next(file: CacheFile): Uint8Array | undefined {
    const at = this.#places.at(-1)?.end ?? 0
    const start = at + lengthBytes
    if (start + sealBytes > file.sizeBytes) return undefined
    const end = start + readU32be(file.read(at, lengthBytes), 0)
    if (end > file.sizeBytes) return undefined
    const number = this.#places.length
    const bytes = openPage(this.#key, 'journal', number, file.read(start, end - start))
    this.#places.push({ start, end })
    return bytes
  }
}

/** What this session writes: its files are made with the first record. */
export class SegmentWriter {
  readonly #folder: CacheFolder
  readonly #number: number
  readonly #key: Uint8Array
  readonly #header: CacheHeader
  #file: CacheFile | undefined
  #records = 0
  #isBroken = false

  constructor(folder: CacheFolder, number: number, key: Uint8Array, header: CacheHeader) {
    this.#folder = folder
    this.#number = number
    this.#key = key
    this.#header = header
  }

  /**
   * Adds a record, which then outlives the process. Throws E_IO, E_FULL once; what is added after that
   * would not be read, and is dropped.
   */
  append(record: Uint8Array): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#file ??= this.#begin()
    this.#write(this.#file, record)
    this.#isBroken = false
  }

  close(): void {
    this.#file?.close()
    this.#key.fill(0)
  }

  #begin(): CacheFile {
    createKey(this.#folder, keyName(this.#number), this.#key).close()
    // known at once, so that it is closed whatever comes
    this.#file = this.#folder.create(segmentName(this.#number))
    this.#write(this.#file, formatHeader(this.#header))
    return this.#file
  }

  #write(file: CacheFile, record: Uint8Array): void {
    const sealed = sealPage(this.#key, 'journal', this.#records++, record)
    // in one call: what a crash leaves is a beginning of it
    file.append(concat(u32be(sealed.length), sealed))
  }
}

function segmentName(number: number): string {
  return `${number}.journal`
}

function keyName(number: number): string {
  return `${number}.journal.key`
}
