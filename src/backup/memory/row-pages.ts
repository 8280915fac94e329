/** Pages of rows, and a pass over the rows in them (docs/specs/backup-cache.md, "Rows"). */
import type { CachedKeys } from './cached-keys.ts'
import type { ObjectTable } from './object-table.ts'
import { damagedCache } from './sealed-page.ts'

/** Bytes of a full page before it is sealed. */
export const pageBytes: number = 2 ** 16 - 16

/** step ‖ u16 length of the body */
export const rowHeadBytes = 3

export const rowSteps = { none: 0, enter: 1, entry: 2, leave: 3, more: 4 } as const

/** Where rows are; their pages are numbered from 1. */
export interface RowPages {
  readonly keys: CachedKeys
  readonly objects: ObjectTable
  /** The number of the last page that holds rows; 0 if there are none. */
  readonly lastPage: number
  /** What the page holds; not to be changed. Throws E_CACHE, E_IO. */
  page(number: number): Uint8Array
}

/** Keeps the pages that were asked for last. */
export class PageShelf {
  readonly #places: number
  readonly #read: (number: number) => Uint8Array
  readonly #pages = new Map<number, Uint8Array>()

  constructor(places: number, read: (number: number) => Uint8Array) {
    this.#places = places
    this.#read = read
  }

  page(number: number): Uint8Array {
    const known = this.#pages.get(number)
    const page = known ?? this.#read(number)
    if (known !== undefined) this.#pages.delete(number)
    else if (this.#pages.size >= this.#places) {
      const [oldest] = this.#pages.keys()
      this.#pages.delete(oldest)
    }
    this.#pages.set(number, page)
    return page
  }
}

/** Stands on one row after the other; before the first to begin with. */
export class RowScanner {
  readonly #pages: RowPages
  page: number
  bytes: Uint8Array
  /** Of `rowSteps`. */
  step: number = rowSteps.none
  /** Where the row's head starts in its page. */
  at: number
  /** Where its body starts, and where it ends. */
  start: number
  end: number

  /** Begins behind the row that ends at `end` in `page`. */
  constructor(pages: RowPages, page = 0, end = 0) {
    this.#pages = pages
    this.page = page
    this.bytes = page === 0 ? new Uint8Array(0) : pages.page(page)
    this.at = end
    this.start = end
    this.end = end
  }

  /** Moves on; false behind the last row. */
  next(): boolean {
    while (this.end + rowHeadBytes > this.bytes.length || this.bytes[this.end] === rowSteps.none) {
      if (this.page >= this.#pages.lastPage) {
        this.step = rowSteps.none
        return false
      }
      this.bytes = this.#pages.page(++this.page)
      this.end = 0
    }
    const { bytes, end } = this
    this.at = end
    this.start = end + rowHeadBytes
    this.end = this.start + ((bytes[end + 1] << 8) | bytes[end + 2])
    this.step = bytes[end]
    if (this.step > rowSteps.more || this.end > bytes.length)
      throw damagedCache('a row that is none')
    return true
  }
}
