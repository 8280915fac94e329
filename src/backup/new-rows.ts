/**
 * The rows of a run, on their way into its cache. Nodes of directories are named by objects that
 * have no root before their bundle is full: rows that name one wait, and so do all behind them.
 */
import type { CachedRow } from './cache-cursor.ts'
import type { CachedDirectory, CachedEntry } from './cache-row.ts'

/** What takes rows in the order of a walk. */
export interface RowWriter {
  enter(name: Uint8Array): void
  entry(entry: CachedEntry): void
  leave(directory: CachedDirectory): void
  /** Takes a row of the last run as it is. */
  copy(row: CachedRow): void
}

interface Waiting {
  write: (rows: RowWriter) => void
  directory?: CachedDirectory
}

/** Rows that may lie in memory behind their turn. */
const maxPassed = 1024

export class NewRows implements RowWriter {
  readonly #rows: RowWriter
  readonly #waiting: Waiting[] = []
  #next = 0

  constructor(rows: RowWriter) {
    this.#rows = rows
  }

  enter(name: Uint8Array): void {
    if (this.#isClear()) this.#rows.enter(name)
    else this.#wait({ write: (rows) => rows.enter(name) })
  }

  entry(entry: CachedEntry): void {
    if (this.#isClear()) this.#rows.entry(entry)
    else this.#wait({ write: (rows) => rows.entry(entry) })
  }

  leave(directory: CachedDirectory): void {
    this.#wait({ write: (rows) => rows.leave(directory), directory })
    this.flush()
  }

  copy(row: CachedRow): void {
    if (this.#isClear()) return this.#rows.copy(row)
    const kept = row.kept()
    this.#wait({ write: (rows) => rows.copy(kept) })
  }

  /** Hands on what waits no longer; false while something still does. */
  flush(): boolean {
    while (this.#next < this.#waiting.length) {
      const { write, directory } = this.#waiting[this.#next]
      if (directory !== undefined && !isNamed(directory)) return this.#holdRest()
      write(this.#rows)
      this.#next++
    }
    this.#waiting.length = 0
    this.#next = 0
    return true
  }

  #holdRest(): false {
    if (this.#next > maxPassed) {
      this.#waiting.splice(0, this.#next)
      this.#next = 0
    }
    return false
  }

  #isClear(): boolean {
    return this.#waiting.length === 0 || this.flush()
  }

  #wait(row: Waiting): void {
    this.#waiting.push(row)
  }
}

function isNamed({ ref, nodes }: CachedDirectory): boolean {
  return ref.object.root.length > 0 && nodes.every(({ root }) => root.length > 0)
}
