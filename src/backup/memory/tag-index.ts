/**
 * Where in a cache the stream of a tag is: 20 bytes for each, in one array. It holds the first 12
 * bytes of a tag; the rest is in the row, and to be looked at there.
 */
import { readU32be } from '../../base/bytes.ts'

/** Two places with the same of a tag are of equal content. */
const tagWords = 3
const slotWords = tagWords + 2
const slotsPerTag = 1.4
const minSlots = 64

export class TagIndex {
  #slots: number
  #words: Uint32Array
  #count = 0

  /** @param expected - tags that will be added; more are welcome */
  constructor(expected = 0) {
    this.#slots = Math.max(minSlots, Math.ceil(expected * slotsPerTag))
    this.#words = new Uint32Array(this.#slots * slotWords)
  }

  get count(): number {
    return this.#count
  }

  /**
   * Says where a stream is, unless it is known of another of this tag.
   *
   * @param page - 1 … 2^32-1, as is `at` from 0
   */
  add(tag: Uint8Array, page: number, at: number): void {
    if ((this.#count + 1) * slotsPerTag > this.#slots) this.#grow()
    this.#put(readU32be(tag, 0), readU32be(tag, 4), readU32be(tag, 8), page, at)
  }

  /** The first of what `look` gives for places that may be of this tag, if it gives anything. */
  find<T>(tag: Uint8Array, look: (page: number, at: number) => T | undefined): T | undefined {
    const [first, second, third] = [readU32be(tag, 0), readU32be(tag, 4), readU32be(tag, 8)]
    const words = this.#words
    for (let slot = this.#home(first); ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      const at = slot * slotWords
      const page = words[at + tagWords]
      if (page === 0) return undefined
      if (words[at] !== first || words[at + 1] !== second || words[at + 2] !== third) continue
      const found = look(page, words[at + tagWords + 1])
      if (found !== undefined) return found
    }
  }

  #put(first: number, second: number, third: number, page: number, at: number): void {
    const words = this.#words
    for (let slot = this.#home(first); ; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      const i = slot * slotWords
      if (words[i + tagWords] === 0) {
        words[i] = first
        words[i + 1] = second
        words[i + 2] = third
        words[i + tagWords] = page
        words[i + tagWords + 1] = at
        this.#count++
        return
      }
      if (words[i] === first && words[i + 1] === second && words[i + 2] === third) return
    }
  }

  /** Tags are keyed digests: any of their bytes spread evenly, and nobody else chooses them. */
  #home(first: number): number {
    return Math.floor((first / 2 ** 32) * this.#slots)
  }

  #grow(): void {
    const old = this.#words
    this.#slots = Math.ceil(this.#slots * 1.6)
    this.#words = new Uint32Array(this.#slots * slotWords)
    this.#count = 0
    for (let i = 0; i < old.length; i += slotWords)
      if (old[i + tagWords] > 0)
        this.#put(old[i], old[i + 1], old[i + 2], old[i + tagWords], old[i + tagWords + 1])
  }
}
