/** Stores a sequence of files and gives what became of them in the order of the inputs. */
import { type GridError, isGridError } from '../../base/errors.ts'
import type { FileSlot } from './file-slot.ts'
import {
  FileStore,
  type FileStoreOptions,
  type FileStoreParts,
  type FileToStore,
} from './file-store.ts'
import type { NamedFile } from './stored-file.ts'

export type ManyInput<T> = FileToStore<T>

/** Its objects have names; `stored` says when they are stored. It may be left alone: what fails then ends the writer. */
export type ManyResult<T> = NamedFile & { item: T }

export interface ManyOptions<T = unknown> extends FileStoreOptions<T> {
  /** Called for a file that cannot be read, which is left out then; without it, the sequence ends with the error. */
  onUnreadable?: (item: T, error: GridError) => void
}

/** Results that wait for those before them; a bundle that keeps more of them waiting is ended. */
const maxWaiting = 32_768
/** Results that have been handed out are forgotten so many at once. */
const tidyAfter = 1024

export async function* storeMany<T>(
  parts: FileStoreParts,
  files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
  options: ManyOptions<T>,
): AsyncGenerator<ManyResult<T>> {
  const store = new FileStore<T>(parts, options)
  const results = new Results(options)
  async function* until(waiting: number): AsyncGenerator<ManyResult<T>> {
    for (;;) {
      for (let next = results.take(); next !== undefined; next = results.take()) yield next
      if (results.waiting <= waiting) return
      await store.settled()
    }
  }
  try {
    for await (const file of files) {
      results.add(await store.add(file))
      yield* until(Infinity)
      if (results.waiting < maxWaiting) continue
      await store.endBundle()
      yield* until(maxWaiting - 1)
    }
    await store.endBundle()
    yield* until(0)
  } finally {
    await store.end()
  }
}

/** Slots in the order of their files. */
class Results<T> {
  readonly #options: ManyOptions<T>
  /** Those before `#first` have been handed out. */
  readonly #slots: FileSlot<T>[] = []
  #first = 0

  constructor(options: ManyOptions<T>) {
    this.#options = options
  }

  get waiting(): number {
    return this.#slots.length - this.#first
  }

  add(slot: FileSlot<T>): void {
    this.#slots.push(slot)
  }

  /** The next result, if it is known. */
  take(): ManyResult<T> | undefined {
    for (;;) {
      const slot = this.#slots[this.#first] as FileSlot<T> | undefined
      if (slot?.isSettled !== true) return undefined
      if (++this.#first === tidyAfter) {
        this.#slots.splice(0, tidyAfter)
        this.#first = 0
      }
      const { item, result, failure } = slot
      if (result !== undefined) return { ...result, item }
      this.#leaveOut(item, failure?.error)
    }
  }

  #leaveOut(item: T, error: unknown): void {
    const { onUnreadable } = this.#options
    if (onUnreadable === undefined || !isGridError(error, 'E_FILE')) throw error
    onUnreadable(item, error)
  }
}
