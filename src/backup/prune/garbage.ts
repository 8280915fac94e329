/** What an account holds that no kept snapshot stands on (docs/specs/prune.md, "List"). */
import type { HeldObject } from '../../node/logs/log-account.ts'
import { indexKey, indexOfKey } from './index-set.ts'
import type { Marked } from './mark.ts'

export class Garbage {
  readonly #marked: Marked['objects']
  readonly #cutoffMs: number
  /** Objects to release. */
  readonly #released = new Set<string>()
  /** Servers that hold each marked object. */
  readonly #holders = new Map<string, number>()
  heldBytes = 0
  freedBytes = 0

  /** @param cutoffMs - what was touched at or after it is on its way into a snapshot, and no garbage */
  constructor({ objects }: Pick<Marked, 'objects'>, cutoffMs: number) {
    this.#marked = objects
    this.#cutoffMs = cutoffMs
  }

  /** Takes in what one server holds; of each server everything once. */
  add(page: readonly HeldObject[]): void {
    for (const { storageIndex, touchedMs, chargedBytes } of page) {
      const key = indexKey(storageIndex)
      this.heldBytes += chargedBytes
      if (this.#marked.has(key)) {
        this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1)
      } else if (touchedMs < this.#cutoffMs) {
        this.#released.add(key)
        this.freedBytes += chargedBytes
      }
    }
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
   *
   * @param servers - how many told what they hold
   */
  wanting(servers: number): Uint8Array[] {
    const wanting: Uint8Array[] = []
    for (const [key, n] of this.#marked)
      if ((this.#holders.get(key) ?? 0) < Math.min(n, servers)) wanting.push(indexOfKey(key))
    return wanting
  }
}
