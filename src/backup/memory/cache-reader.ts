/** The cache of a run that ended, opened: all of it was looked at before anything of it is believed. */
import type { CacheFile } from './cache-folder.ts'
import {
  type CacheHeader,
  headerNumber,
  pageStart,
  parseHeader,
  parseTrailer,
  type CacheTrailer,
  sealedHeaderBytes,
  sealedPageBytes,
  sealedTrailerBytes,
  trailerNumber,
} from './cache-layout.ts'
import type { CachedKeys } from './cached-keys.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import { objectRecordBytes, ObjectTable } from './object-table.ts'
import { CacheRows } from './cache-rows.ts'
import { PageShelf, pageBytes, type RowPages } from './row-pages.ts'
import { damagedCache, openPage, type PageKind, sealBytes } from './sealed-page.ts'
import { StreamIndex } from './stream-index.ts'

const shelfPages = 16

export class CacheReader implements RowPages {
  readonly keys: CachedKeys
  readonly basis: Uint8Array
  readonly described: Uint8Array
  readonly objects: ObjectTable = new ObjectTable()
  readonly #file: CacheFile
  readonly #key: Uint8Array
  readonly #trailer: CacheTrailer
  readonly #shelf: PageShelf
  #index: StreamIndex | undefined

  private constructor(file: CacheFile, key: Uint8Array, header: CacheHeader) {
    this.#file = file
    this.#key = key
    this.keys = header.keys
    this.basis = header.basis
    this.described = header.described
    this.#shelf = new PageShelf(shelfPages, (number) => this.#readPage('rows', number))
    const sealed = file.read(file.sizeBytes - sealedTrailerBytes, sealedTrailerBytes)
    const trailer = openPage(key, 'trailer', trailerNumber, sealed)
    this.#trailer = parseTrailer(trailer, file.sizeBytes)
  }

  /**
   * Undefined for a file of another version. The file is closed by the reader's `close`, and by
   * whoever opened it if this throws.
   *
   * @throws E_CACHE for anything but a whole file as it was written under this key; E_IO
   */
  static open(file: CacheFile, key: Uint8Array): CacheReader | undefined {
    if (file.sizeBytes < sealedHeaderBytes + sealedTrailerBytes)
      throw damagedCache('it is not as long as it was')
    const sealed = file.read(0, sealedHeaderBytes)
    const header = parseHeader(openPage(key, 'header', headerNumber, sealed))
    if (header === undefined) return undefined
    const reader = new CacheReader(file, key, header)
    reader.#checkRows()
    reader.#readObjects()
    return reader
  }

  get lastPage(): number {
    return this.#trailer.rowPages
  }

  page(number: number): Uint8Array {
    return this.#shelf.page(number)
  }

  /** A new cursor, on the first row. */
  rows(): CacheRows {
    return new CacheRows(this)
  }

  /** A stream of any row. The first question takes a pass over all rows. Throws E_CACHE, E_IO. */
  known(tag: Uint8Array): KnownStream | undefined {
    this.#index ??= new StreamIndex(this, this.#trailer.streams).addAll()
    return this.#index.find(tag)
  }

  close(): void {
    this.#file.close()
    this.#key.fill(0)
  }

  #checkRows(): void {
    for (let number = 1; number <= this.lastPage; number++) this.#readPage('rows', number)
  }

  #readObjects(): void {
    const { rowPages, objectPages, objects } = this.#trailer
    for (let number = rowPages + 1; number <= rowPages + objectPages; number++) {
      const page = this.#readPage('objects', number)
      const records = Math.floor(page.length / objectRecordBytes)
      for (let i = 0; i < records && this.objects.count < objects; i++)
        this.objects.addRecord(page.subarray(i * objectRecordBytes, (i + 1) * objectRecordBytes))
    }
    if (this.objects.count !== objects) throw damagedCache('objects are missing')
  }

  #readPage(kind: PageKind, number: number): Uint8Array {
    const { rowPages, lastRowBytes, objectPages, lastObjectBytes } = this.#trailer
    // pages of objects follow the last of rows, which may be short
    const start = pageStart(number) - (kind === 'rows' ? 0 : pageBytes - lastRowBytes)
    const isLastRow = number === rowPages
    const isLastObject = number === rowPages + objectPages
    const length = isLastRow
      ? lastRowBytes + sealBytes
      : isLastObject
        ? lastObjectBytes + sealBytes
        : sealedPageBytes
    return openPage(this.#key, kind, number, this.#file.read(start, length))
  }
}
