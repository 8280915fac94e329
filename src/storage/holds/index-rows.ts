/** The rows of an index in LMDB: keys of a kind and what follows it, and little of the file in memory at a time. */
import { concat, utf8 } from '../../base/bytes.ts'
import { type Database, failure, indexFileIn, onIndex, openIndexFile } from './lmdb-file.ts'

export interface IndexRowsOptions {
  /** Whether what is in the directory can be believed; otherwise it is made anew. */
  isSound: boolean
  /**
   * Takes the pages of a mapped file out of this process's memory, where the system can. Otherwise all of the
   * file is in it after a sweep: 190 bytes for each object, which the system takes back when it needs them.
   */
  forgetMapped?: (path: string) => void
}

export interface IndexRow {
  /** What follows the kind in its key. */
  suffix: Uint8Array
  value: Uint8Array
}

/** Rows that are read or written until the file's pages are given back: each may have mapped some. */
const rowsMapped = 32_768
/** Above every key that begins as what it is put behind. */
const endOfKeys = new Uint8Array(256).fill(0xff)

/** All of it throws E_FULL, E_IO. */
export class IndexRows {
  readonly #db: Database
  readonly #giveBack: () => void
  #rowsSeen = 0

  private constructor(db: Database, giveBack: () => void) {
    this.#db = db
    this.#giveBack = giveBack
  }

  static open(directory: string, options: IndexRowsOptions): IndexRows {
    const db = openIndexFile(directory, options)
    return new IndexRows(db, () => options.forgetMapped?.(indexFileIn(directory)))
  }

  get count(): number {
    return onIndex(() => (this.#db.getStats() as { entryCount: number }).entryCount)
  }

  get(place: Uint8Array): Uint8Array | undefined {
    this.#see(1)
    return onIndex(() => this.#db.get(place))
  }

  /** Within `change` alone, as `remove`. */
  put(place: Uint8Array, value: Uint8Array): void {
    this.#see(1)
    onIndex(() => this.#db.putSync(place, value))
  }

  remove(place: Uint8Array): void {
    this.#see(1)
    onIndex(() => this.#db.removeSync(place))
  }

  /** Rows whose keys begin with `kind` and `prefix`, ascending unless `reverse`, behind `after`. */
  range(
    kind: string,
    prefix: Uint8Array,
    { after, limit, reverse }: { after?: Uint8Array; limit?: number; reverse?: boolean } = {},
  ): IndexRow[] {
    const from = key(kind, prefix)
    const start = after === undefined ? from : concat(from, after, Uint8Array.of(0))
    const end = concat(from, endOfKeys)
    const options = reverse ? { start: end, end: start, limit, reverse } : { start, end, limit }
    const rows = onIndex(() => [...this.#db.getRange(options)])
    this.#see(rows.length)
    return rows.map((row) => ({
      suffix: new Uint8Array(row.key).subarray(1),
      value: row.value,
    }))
  }

  /** All that `work` changes, or nothing if it throws. */
  change<T>(work: () => T): T {
    let thrown: { error: unknown } | undefined
    try {
      return this.#db.transactionSync(() => {
        try {
          return work()
        } catch (error) {
          thrown = { error }
          throw error
        }
      })
    } catch (error) {
      throw thrown === undefined ? failure(error) : error
    }
  }

  /** Syncs it first. */
  async close(): Promise<void> {
    const db = this.#db as Database & { sync(done: (error: unknown) => void): void }
    await new Promise<void>((resolve, reject) => {
      db.sync((error) => (error ? reject(failure(error)) : resolve()))
    })
    await this.#db.close()
  }

  #see(rows: number): void {
    this.#rowsSeen += rows
    if (this.#rowsSeen < rowsMapped) return
    this.#rowsSeen = 0
    this.#giveBack()
  }
}

export function key(kind: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(utf8(kind), ...parts)
}
