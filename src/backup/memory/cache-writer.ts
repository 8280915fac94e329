/**
 * Writes the cache of a run, row after row, in the order of its walk. In memory are one page, the
 * objects that are named, and where new streams are.
 */
import type { CachedRow } from './cache-cursor.ts'
import type { CacheFile } from './cache-folder.ts'
import {
  type CacheHeader,
  formatHeader,
  formatTrailer,
  headerNumber,
  pageStart,
  sealedPageBytes,
  trailerNumber,
} from './cache-layout.ts'
import type { CachedDirectory, CachedEntry } from './cache-row.ts'
import type { CachedKeys } from './cached-keys.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import { objectRecordBytes, ObjectTable } from './object-table.ts'
import { RowBuilder, RowParser } from './row-bytes.ts'
import { RowFormat } from './row-format.ts'
import { readNumbers, writeNumbers } from './row-objects.ts'
import {
  pageBytes,
  PageShelf,
  rowHeadBytes,
  type RowPages,
  RowScanner,
  rowSteps,
} from './row-pages.ts'
import { damagedCache, openPage, sealPage } from './sealed-page.ts'
import { partKinds, StoredRow } from './stored-row.ts'
import { contentNumbers } from './stored-rows.ts'
import { StreamIndex } from './stream-index.ts'

const shelfPages = 8

export interface CacheWriterOptions extends CacheHeader {
  /** 32 random bytes, for this file alone. */
  key: Uint8Array
  /** Makes the file, once there is a page to write. */
  create: () => CacheFile
  /** The cache that rows are copied from. */
  old: RowPages | undefined
}

export class CacheWriter implements RowPages {
  readonly keys: CachedKeys
  /** What the rows name, and nothing else. */
  readonly objects: ObjectTable = new ObjectTable()
  readonly #options: CacheWriterOptions
  #file: CacheFile | undefined
  /** By the number in the old cache: that in this one, plus one. */
  readonly #numbers: Uint32Array
  readonly #format: RowFormat
  readonly #copied = new RowBuilder()
  readonly #index: StreamIndex
  readonly #shelf: PageShelf
  #page = new Uint8Array(pageBytes)
  #pageNumber = 1
  #at = 0
  #depth = 0
  #streams = 0
  #isComplete = false

  constructor(options: CacheWriterOptions) {
    this.#options = options
    this.keys = options.keys
    this.#numbers = new Uint32Array(options.old?.objects.count ?? 0)
    this.#format = new RowFormat(this.objects, this.keys)
    this.#index = new StreamIndex(this)
    this.#shelf = new PageShelf(shelfPages, (number) => this.#readPage(number))
  }

  /** Once the root was left. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  get lastPage(): number {
    return this.#pageNumber
  }

  /** The root comes first, with an empty name. */
  enter(name: Uint8Array): void {
    this.#down()
    this.#append(rowSteps.enter, this.#format.enter(name))
  }

  entry(entry: CachedEntry): void {
    this.#within()
    const { content } = entry
    const { page, at } = this.#append(rowSteps.entry, this.#format.entry(entry))
    if (content?.kind === 'file') this.#know(content.tag!, page, at)
    if (content?.kind !== 'tree') return
    this.#writeNodes(content.nodes)
    for (const extents of this.#format.groups(content.extents)) {
      const part = this.#append(rowSteps.more, this.#format.extents(extents))
      for (const { tag } of extents) this.#know(tag, part.page, part.at)
    }
  }

  /** The root comes last. */
  leave(directory: CachedDirectory): void {
    this.#within()
    this.#append(rowSteps.leave, this.#format.leave(directory))
    this.#writeNodes(directory.nodes)
    this.#up()
  }

  /**
   * Takes a row of the old cache as it is, without a look at what it says. Throws E_CACHE, E_IO.
   */
  copy(row: CachedRow): void {
    if (!(row instanceof StoredRow) || row.pages !== this.#options.old)
      throw new RangeError('backup cache: not a row of the cache before')
    if (row.pages.keys !== this.keys) throw new RangeError('backup cache: a row with other keys')
    if (row.step === 'enter') this.#down()
    else this.#within()
    const { bytes, start, end, listAt } = row
    const parts = listAt === undefined ? 0 : new RowParser(bytes, listAt, end).varint()
    this.#append(rowSteps[row.step], this.#renumbered(bytes, start, end, listAt, row.step))
    if (parts > 0) this.#copyParts(row, parts)
    if (row.step === 'leave') this.#up()
  }

  /** A stream of a row that was added, not copied. Throws E_CACHE, E_IO. */
  known(tag: Uint8Array): KnownStream | undefined {
    return this.#index.find(tag)
  }

  page(number: number): Uint8Array {
    return number === this.#pageNumber ? this.#page.subarray(0, this.#at) : this.#shelf.page(number)
  }

  /** Writes what is left, durably. Throws RangeError before the root was left, E_IO, E_FULL. */
  async finish(): Promise<CacheFile> {
    if (!this.#isComplete) throw new RangeError('backup cache: the root was not left')
    this.objects.settle()
    const lastRowBytes = this.#at
    this.#endPage(this.#page.subarray(0, this.#at), 'rows')
    const rowPages = this.#pageNumber - 1
    const { objectPages, lastObjectBytes } = this.#writeObjects()
    const { count: objects } = this.objects
    const streams = this.#streams
    const trailer = { rowPages, lastRowBytes, objectPages, lastObjectBytes, objects, streams }
    const file = this.#opened()
    file.append(sealPage(this.#options.key, 'trailer', trailerNumber, formatTrailer(trailer)))
    await file.sync()
    return file
  }

  /** Closes the file, if there is one. */
  close(): void {
    this.#file?.close()
  }

  #down(): void {
    if (this.#isComplete) throw new RangeError('backup cache: a row behind the root')
    this.#depth++
  }

  #within(): void {
    if (this.#depth === 0) throw new RangeError('backup cache: a row outside of the root')
  }

  #up(): void {
    this.#isComplete = --this.#depth === 0
  }

  #know(tag: Uint8Array, page: number, at: number): void {
    this.#streams++
    this.#index.add(tag, page, at)
  }

  #writeNodes(nodes: CachedDirectory['nodes']): void {
    for (const group of this.#format.nodeGroups(nodes))
      this.#append(rowSteps.more, this.#format.nodes(group))
  }

  #copyParts(row: StoredRow, count: number): void {
    const scanner = new RowScanner(row.pages, row.page, row.end)
    for (let i = 0; i < count; i++) {
      if (!scanner.next() || scanner.step !== rowSteps.more) throw damagedCache('a part is missing')
      const { bytes, start, end } = scanner
      this.#append(rowSteps.more, this.#renumbered(bytes, start, end, start, 'more'))
    }
  }

  /** The body of an old row with the numbers that its objects have here. */
  #renumbered(
    bytes: Uint8Array,
    start: number,
    end: number,
    listAt: number | undefined,
    step: keyof typeof rowSteps,
  ): Uint8Array {
    if (listAt === undefined) return bytes.subarray(start, end)
    const list = new RowParser(bytes, listAt, end)
    if (step !== 'more') list.varint()
    const head = bytes.subarray(start, list.at)
    const numbers = readNumbers(list)
    this.#streams += streamCount(step, bytes.subarray(list.at, end))
    for (let i = 0; i < numbers.length; i++) numbers[i] = this.#numberOf(numbers[i])
    const out = this.#copied.clear().bytes(head)
    writeNumbers(out, numbers)
    return out.bytes(bytes.subarray(list.at, end)).written
  }

  #numberOf(old: number): number {
    if (old >= this.#numbers.length) throw damagedCache('an object that is not in the table')
    if (this.#numbers[old] === 0)
      this.#numbers[old] = this.objects.addRecord(this.#options.old!.objects.record(old)) + 1
    return this.#numbers[old] - 1
  }

  #append(step: number, body: Uint8Array): { page: number; at: number } {
    const length = rowHeadBytes + body.length
    if (length > pageBytes) throw new RangeError('backup cache: a row longer than a page')
    if (this.#at + length > pageBytes) this.#endPage(this.#page, 'rows')
    const at = this.#at
    this.#page[at] = step
    this.#page[at + 1] = body.length >> 8
    this.#page[at + 2] = body.length & 0xff
    this.#page.set(body, at + rowHeadBytes)
    this.#at += length
    return { page: this.#pageNumber, at }
  }

  #endPage(page: Uint8Array, kind: 'rows' | 'objects'): void {
    this.#opened().append(sealPage(this.#options.key, kind, this.#pageNumber++, page))
    this.#page = new Uint8Array(pageBytes)
    this.#at = 0
  }

  #writeObjects(): { objectPages: number; lastObjectBytes: number } {
    const perPage = Math.floor(pageBytes / objectRecordBytes)
    const { objects } = this
    let objectPages = 0
    let lastObjectBytes = 0
    for (let first = 0; first < objects.count; first += perPage) {
      const end = Math.min(first + perPage, objects.count)
      const page = new Uint8Array(pageBytes)
      for (let number = first; number < end; number++)
        page.set(objects.record(number), (number - first) * objectRecordBytes)
      lastObjectBytes = end === objects.count ? (end - first) * objectRecordBytes : pageBytes
      this.#endPage(page.subarray(0, lastObjectBytes), 'objects')
      objectPages++
    }
    return { objectPages, lastObjectBytes }
  }

  #opened(): CacheFile {
    if (this.#file === undefined) {
      this.#file = this.#options.create()
      this.#file.append(
        sealPage(this.#options.key, 'header', headerNumber, formatHeader(this.#options)),
      )
    }
    return this.#file
  }

  #readPage(number: number): Uint8Array {
    const sealed = this.#opened().read(pageStart(number), sealedPageBytes)
    return openPage(this.#options.key, 'rows', number, sealed)
  }
}

/** How many streams with a tag a row holds, by what follows the list of its objects. */
function streamCount(step: keyof typeof rowSteps, rest: Uint8Array): number {
  if (step === 'entry') return rest[0] === contentNumbers.file ? 1 : 0
  return step === 'more' && rest[0] === partKinds.extents ? rest[1] : 0
}
