/** A cursor over the rows of a cache, in the order of the walk that wrote them. */
import type { RowCursor } from './cache-cursor.ts'
import { type RowPages, RowScanner, rowSteps } from './row-pages.ts'
import { StoredRow } from './stored-row.ts'

/** One page is in memory at a time, and those that rows are held of. Every method throws E_CACHE, E_IO. */
export class CacheRows implements RowCursor {
  readonly #pages: RowPages
  readonly #scanner: RowScanner
  #row: StoredRow | undefined

  constructor(pages: RowPages) {
    this.#pages = pages
    this.#scanner = new RowScanner(pages)
    this.advance()
  }

  get row(): StoredRow | undefined {
    return this.#row
  }

  advance(): void {
    this.#row = this.#toNext() ? new StoredRow(this.#pages, this.#scanner) : undefined
  }

  /** From an enter to behind its leave; from another row to the next. */
  skipSubtree(): void {
    let below = this.#row?.step === 'enter' ? 1 : 0
    while (below > 0 && this.#toNext()) {
      if (this.#scanner.step === rowSteps.enter) below++
      else if (this.#scanner.step === rowSteps.leave) below--
    }
    this.advance()
  }

  #toNext(): boolean {
    while (this.#scanner.next()) if (this.#scanner.step !== rowSteps.more) return true
    return false
  }
}
