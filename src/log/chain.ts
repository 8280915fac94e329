/**
 * One author's chain, as the ids of its entries: what links an entry to those before it
 * (docs/specs/log.md, "Chain"). Servers and readers use the same.
 */
import { compareBytes } from '../base/bytes.ts'
import { hashBytes } from '../base/hash.ts'
import { type EntryHeader, skipOf } from './entry.ts'

/**
 * Where an entry belongs: behind the head (`next`), held already (`had`), another than the one held
 * (`conflict`), beyond a gap, or at the place of the next one with links that lead elsewhere.
 */
export type ChainPlace = 'next' | 'had' | 'conflict' | 'gap' | 'unlinked'

export class Chain {
  readonly #logId: Uint8Array
  /** Ids end to end, with room to grow. */
  #ids = new Uint8Array(8 * hashBytes)
  #length = 0

  /** @param logId - kept: the id of seq 0 */
  constructor(logId: Uint8Array) {
    this.#logId = logId
  }

  /** The same chain, which grows apart from this one. */
  copy(): Chain {
    const other = new Chain(this.#logId)
    other.#ids = this.#ids.slice()
    other.#length = this.#length
    return other
  }

  /** Seq of the head; 0 for no entry. */
  get seq(): number {
    return this.#length
  }

  get headId(): Uint8Array {
    return this.idAt(this.#length)
  }

  /** Id of entry `seq`, 0 … head; do not write to it. */
  idAt(seq: number): Uint8Array {
    if (seq === 0) return this.#logId
    if (seq < 0 || seq > this.#length) throw new RangeError(`chain: no entry ${seq}`)
    return this.#ids.subarray((seq - 1) * hashBytes, seq * hashBytes)
  }

  /** Whether entry `seq` is held under this id. */
  holds(seq: number, id: Uint8Array): boolean {
    return seq >= 0 && seq <= this.#length && compareBytes(this.idAt(seq), id) === 0
  }

  placeOf({ seq, prev, skip }: EntryHeader, id: Uint8Array): ChainPlace {
    if (seq <= this.#length) return this.holds(seq, id) ? 'had' : 'conflict'
    if (seq > this.#length + 1) return 'gap'
    const isLinked = this.holds(seq - 1, prev) && this.holds(skipOf(seq), skip)
    return isLinked ? 'next' : 'unlinked'
  }

  /** Takes the id of the entry behind the head; it must have been placed `next`. */
  push(id: Uint8Array): void {
    const end = this.#length * hashBytes
    if (end === this.#ids.length) {
      const larger = new Uint8Array(2 * end)
      larger.set(this.#ids)
      this.#ids = larger
    }
    this.#ids.set(id, end)
    this.#length++
  }
}
