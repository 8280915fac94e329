/** Writers of chains, open until the grid is closed: nobody else here may write these chains meanwhile. */
import { toHex } from '../../base/bytes.ts'
import { publicKeyOfSeed } from '../../base/ed25519.ts'
import type { LogRecords } from './log-records.ts'

/** A writer, and what lets another process write its chain. */
interface Held<T> {
  writer: T
  release: () => Promise<void>
}

export class HeldWriters<T> {
  readonly #records: LogRecords
  /** By the hex of the author. */
  readonly #writers = new Map<string, Promise<Held<T>>>()

  constructor(records: LogRecords) {
    this.#records = records
  }

  /** The writer of the chain whose seed is given; opened if it is not open. Throws E_LOCKED, and what `open` does. */
  async hold(seed: Uint8Array, open: () => Promise<T>): Promise<T> {
    const author = publicKeyOfSeed(seed)
    const name = toHex(author)
    let held = this.#writers.get(name)
    if (held === undefined) {
      held = this.#open(author, open)
      this.#writers.set(name, held)
      held.catch(() => this.#writers.delete(name))
    }
    return (await held).writer
  }

  /** Lets it go, so that the next one begins with what servers have. */
  async forget(author: Uint8Array): Promise<void> {
    const held = this.#writers.get(toHex(author))
    this.#writers.delete(toHex(author))
    await held?.then(({ release }) => release())
  }

  async close(): Promise<void> {
    const held = [...this.#writers.values()]
    this.#writers.clear()
    await Promise.all(held.map((each) => each.then(({ release }) => release()).catch(() => {})))
  }

  async #open(author: Uint8Array, open: () => Promise<T>): Promise<Held<T>> {
    const release = await this.#records.lock(author)
    try {
      return { writer: await open(), release }
    } catch (error) {
      await release()
      throw error
    }
  }
}
