/**
 * A chain as a reader has verified it: every link, and the signature of the head, which vouches for
 * all below it (docs/specs/log.md, "Reading").
 */
import { GridError } from '../base/errors.ts'
import { Chain } from './chain.ts'
import type { ReadHeader } from './entry.ts'

export class VerifiedChain {
  readonly author: Uint8Array
  readonly chain: Chain
  readonly #entries: ReadHeader[] = []

  constructor(logId: Uint8Array, author: Uint8Array) {
    this.author = author
    this.chain = new Chain(logId)
  }

  /** The same chain, which grows apart from this one. */
  copy(logId: Uint8Array): VerifiedChain {
    const other = new VerifiedChain(logId, this.author)
    other.take(this.#entries)
    return other
  }

  /** By seq from 1. */
  get entries(): readonly ReadHeader[] {
    return this.#entries
  }

  get seq(): number {
    return this.chain.seq
  }

  get head(): ReadHeader | undefined {
    return this.#entries.at(-1)
  }

  /** Throws E_LINK unless each of `entries` follows the one before it, the first the head. */
  check(entries: readonly ReadHeader[]): void {
    const trial = this.chain.copy()
    for (const { fields, id } of entries) {
      if (trial.placeOf(fields, id) !== 'next') {
        throw new GridError('E_LINK', 'an entry does not follow the one before it')
      }
      trial.push(id)
    }
  }

  /** Takes in entries that were checked, and the last of which is signed. They are kept. */
  take(entries: readonly ReadHeader[]): void {
    for (const entry of entries) {
      this.chain.push(entry.id)
      this.#entries.push(entry)
    }
  }

  /** Seq of the first entry that is another in `other`; undefined if one begins with the other. */
  partsAt(other: VerifiedChain): number | undefined {
    const shorter = Math.min(this.seq, other.seq)
    for (let seq = 1; seq <= shorter; seq++) {
      if (!this.chain.holds(seq, other.chain.idAt(seq))) return seq
    }
    return undefined
  }
}
