/** What an account holds that no kept snapshot stands on (docs/specs/prune.md, "List"). */
import type { HeldObject } from '../../node/logs/log-account.ts'
import { indexKey, indexOfKey } from './index-set.ts'
import type { Marked } from './mark.ts'

/** What servers say of charges, and what of them would be given up. */
export interface HeldShare {
  heldBytes: number
  freedBytes: number
}

type Pages = AsyncIterable<readonly HeldObject[]> | Iterable<readonly HeldObject[]>

/** Servers charge so much for an object at least. */
const minChargedBytes = 4096

export class Garbage {
  readonly #marked: Marked['objects']
  readonly #cutoffMs: number
  /** Objects to release. */
  readonly #released = new Set<string>()
  /** Servers that hold each marked object. */
  readonly #holders = new Map<string, number>()
  /** By server, of those that told all. */
  readonly servers: HeldShare[] = []

  /** @param cutoffMs - what was touched at or after it is on its way into a snapshot, and no garbage */
  constructor({ objects }: Pick<Marked, 'objects'>, cutoffMs: number) {
    this.#marked = objects
    this.#cutoffMs = cutoffMs
  }

  /** Takes in what one server holds, once it has told all of it: one that fails on the way has told nothing. */
  async add(pages: Pages): Promise<void> {
    const server = { heldBytes: 0, freedBytes: 0 }
    const [marked, released]: string[][] = [[], []]
    for await (const page of pages) {
      for (const { storageIndex, touchedMs, ...told } of page) {
        const key = indexKey(storageIndex)
        const chargedBytes = Math.max(minChargedBytes, told.chargedBytes)
        server.heldBytes += chargedBytes
        if (this.#marked.has(key)) {
          marked.push(key)
        } else if (touchedMs < this.#cutoffMs) {
          released.push(key)
          server.freedBytes += chargedBytes
        }
      }
    }
    for (const key of marked) this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1)
    for (const key of released) this.#released.add(key)
    this.servers.push(server)
  }

  get heldBytes(): number {
    return this.servers.reduce((sum, { heldBytes }) => sum + heldBytes, 0)
  }

  get freedBytes(): number {
    return this.servers.reduce((sum, { freedBytes }) => sum + freedBytes, 0)
  }

  get releasedCount(): number {
    return this.#released.size
  }

  /** Ascending, so that the same garbage gives the same releases. */
  get released(): Uint8Array[] {
    return [...this.#released].sort().map(indexOfKey)
  }

  /**
   * Objects of kept snapshots that not every share of seems to be held: given up by mistake, put by
   * nobody's account, or lost. They are to be touched.
   */
  get wanting(): Uint8Array[] {
    const wanting: Uint8Array[] = []
    for (const [key, n] of this.#marked) {
      const enough = Math.min(n, this.servers.length)
      if ((this.#holders.get(key) ?? 0) < enough) wanting.push(indexOfKey(key))
    }
    return wanting
  }
}
