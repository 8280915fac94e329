/**
 * What a run has stored, for the one after it, should it be cut short (docs/specs/backup-cache.md,
 * "Journal"). It outlives the process, not a power cut: after that some is stored once more.
 *
 * Of earlier sessions it finds what they stored; what this one adds is for the next.
 */
import { equalBytes } from '../../base/bytes.ts'
import type { Random } from '../../base/random.ts'
import { fingerprintBytes } from '../../local/fingerprint.ts'
import type { StoredFile, TaggedStream } from '../../node/content/stored-file.ts'
import type { CacheFolder } from './cache-folder.ts'
import { undescribed } from './cache-layout.ts'
import type { CachedKeys } from './cached-keys.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import {
  type FileState,
  type JournalItem,
  maxPathBytes,
  readItem,
  streamsOf,
  taggedStreams,
  writeExtentItem,
  writeFileItem,
  writeStreamItem,
} from './journal-item.ts'
import { destroySegment, JournalSegment, SegmentWriter, segmentsIn } from './journal-segment.ts'
import { RowBuilder, RowParser } from './row-bytes.ts'
import { PageShelf } from './row-pages.ts'
import { pageKeyBytes } from './sealed-page.ts'
import { knownStream } from './stored-rows.ts'
import { TagIndex } from './tag-index.ts'

export interface JournalOptions {
  random: Random
  /** As of the cache that the run will make. */
  basis: Uint8Array
  keys: CachedKeys
  /** Destroys what earlier sessions left. */
  forget?: boolean
}

/** What may be lost with the process: of the journal, and of what files hold. */
const maxBufferedBytes = 64 * 1024
const maxBufferedContentBytes = 16 * 2 ** 20
/** No item starts further inside a record. */
const recordScale = maxBufferedBytes
const shelfRecords = 16

export class Journal {
  readonly #folder: CacheFolder
  readonly #keys: CachedKeys
  readonly #segments: number[]
  readonly #opened: JournalSegment[] = []
  readonly #records: { segment: JournalSegment; record: number }[] = []
  readonly #shelf = new PageShelf(shelfRecords, (number) => this.#read(number))
  /** By path, as latin1: record × 2^16 + where in it the item is. */
  readonly #files = new Map<string, number>()
  /** Likewise, by their index. */
  readonly #extents = new Map<string, Map<number, number>>()
  readonly #tags = new TagIndex()
  readonly #writer: SegmentWriter
  readonly #buffer = new RowBuilder()
  #bufferedContentBytes = 0
  #isEnded = false

  private constructor(folder: CacheFolder, segments: number[], options: JournalOptions) {
    const { random, basis, keys } = options
    this.#folder = folder
    this.#keys = keys
    this.#segments = segments
    const number = (segments.at(-1) ?? 0) + 1
    segments.push(number)
    const header = { basis, described: undescribed, keys }
    this.#writer = new SegmentWriter(folder, number, random.bytes(pageKeyBytes), header)
  }

  /** Opens what earlier sessions left, and destroys what is of another basis or to be forgotten. Throws E_IO. */
  static async open(folder: CacheFolder, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(folder, await segmentsIn(folder), options)
    const { basis, keys, forget = false } = options
    const header = { basis, described: undescribed, keys }
    for (const number of journal.#segments.slice(0, -1)) {
      const take = journal.#take.bind(journal)
      const segment = forget ? undefined : JournalSegment.open(folder, number, header, take)
      if (segment === undefined) await destroySegment(folder, number)
      else journal.#opened.push(segment)
    }
    return journal
  }

  /** Whether earlier sessions left anything. */
  get isEmpty(): boolean {
    return this.#records.length === 0
  }

  /** A file that was stored when it had this fingerprint. Throws E_CACHE, E_IO. */
  find(path: Uint8Array, fingerprint: Uint8Array): StoredFile | undefined {
    const item = this.#item(this.#files.get(latin1(path)), { path, fingerprint })
    return item?.kind === 'file' ? item.file : undefined
  }

  /**
   * The extents that were stored of a file which was not finished, from its beginning up to the
   * first that was not. Throws E_CACHE, E_IO.
   */
  extentsOf(path: Uint8Array, fingerprint: Uint8Array): TaggedStream[] {
    const places = this.#extents.get(latin1(path))
    const extents: TaggedStream[] = []
    for (;;) {
      const item = this.#item(places?.get(extents.length), { path, fingerprint })
      if (item?.kind !== 'extent') return extents
      extents.push(item.stream)
    }
  }

  /** Where a stream of this tag is stored. Throws E_CACHE, E_IO. */
  known(tag: Uint8Array): KnownStream | undefined {
    return this.#tags.find(tag, (page, at) => {
      const found = streamsOf(this.#itemAt(page - 1, at)).find((one) => equalBytes(one.tag, tag))
      return found && knownStream(found)
    })
  }

  /** To be called once servers have all of it. Throws E_IO, E_FULL. */
  addFile(path: Uint8Array, fingerprint: Uint8Array, file: StoredFile): void {
    const streams = taggedStreams(file)
    if (this.#keys === 'kept') writeFileItem(this.#buffer, checked(path, fingerprint), file)
    else if (streams.length > 0) writeStreamItem(this.#buffer, streams)
    this.#added(file.kind === 'tree' ? 0 : file.sizeBytes)
  }

  /** As `addFile`, of one extent of a file that is not all stored; in any order. */
  addExtent(path: Uint8Array, fingerprint: Uint8Array, index: number, stream: TaggedStream): void {
    if (this.#keys === 'kept')
      writeExtentItem(this.#buffer, checked(path, fingerprint), index, stream)
    else writeStreamItem(this.#buffer, [stream])
    this.#added(stream.plaintextBytes)
  }

  /**
   * All that was added outlives the process when this returns. Throws E_IO, E_FULL, once: nothing
   * more is kept then, and all else goes on.
   */
  flush(): void {
    if (this.#buffer.length === 0 || this.#isEnded) return
    const record = this.#buffer.written
    this.#buffer.clear()
    this.#bufferedContentBytes = 0
    this.#writer.append(record)
  }

  /** Leaves what is there to the next session. Throws E_IO, E_FULL. */
  close(): void {
    try {
      this.flush()
    } finally {
      this.#end()
    }
  }

  /** Destroys all of it: what it is for is in a cache that counts. Throws E_IO. */
  async discard(): Promise<void> {
    this.#end()
    for (const number of this.#segments) await destroySegment(this.#folder, number)
    await this.#folder.sync()
  }

  /** Its key is gone by then: nothing is written any more. */
  #end(): void {
    this.#isEnded = true
    this.#writer.close()
    for (const segment of this.#opened) segment.forget()
  }

  #added(contentBytes: number): void {
    this.#bufferedContentBytes += contentBytes
    const isMuch =
      this.#buffer.length >= maxBufferedBytes ||
      this.#bufferedContentBytes >= maxBufferedContentBytes
    if (isMuch) this.flush()
  }

  #take(segment: JournalSegment, record: number, bytes: Uint8Array): void {
    const number = this.#records.push({ segment, record }) - 1
    const row = new RowParser(bytes)
    while (!row.isAtEnd) {
      const { at } = row
      this.#index(readItem(row), number, at)
    }
  }

  #index(item: JournalItem, record: number, at: number): void {
    for (const { tag } of streamsOf(item)) this.#tags.add(tag, record + 1, at)
    if (item.kind === 'streams') return
    const path = latin1(item.path)
    const place = record * recordScale + at
    if (item.kind === 'file') {
      this.#files.set(path, place)
      this.#extents.delete(path)
      return
    }
    const places = this.#extents.get(path) ?? new Map<number, number>()
    this.#extents.set(path, places.set(item.index, place))
  }

  #item(place: number | undefined, { fingerprint }: FileState): JournalItem | undefined {
    if (place === undefined) return undefined
    const item = this.#itemAt(Math.floor(place / recordScale), place % recordScale)
    if (item.kind === 'streams') return undefined
    return equalBytes(item.fingerprint, fingerprint) ? item : undefined
  }

  #itemAt(record: number, at: number): JournalItem {
    return readItem(new RowParser(this.#shelf.page(record), at))
  }

  #read(number: number): Uint8Array {
    const { segment, record } = this.#records[number]
    return segment.record(record)
  }
}

function checked(path: Uint8Array, fingerprint: Uint8Array): FileState {
  if (path.length > maxPathBytes) throw new RangeError('journal: a path that is too long')
  if (fingerprint.length !== fingerprintBytes)
    throw new RangeError('journal: a fingerprint is 40 bytes')
  return { path, fingerprint }
}

function latin1(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1')
}
