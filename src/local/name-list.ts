/**
 * The names of one directory in the order of their bytes. Packed end to end, since a million small
 * arrays take ten times the room of the names.
 */
import { compareBytes } from '../base/bytes.ts'

const maxViews = 2 ** 16

export class NameList {
  #bytes = new Uint8Array(1024)
  #used = 0
  /** Where each name begins, in the order of adding; then in order of bytes. */
  #starts = new Uint32Array(64)
  #lengths = new Uint16Array(64)
  #count = 0
  #order: Uint32Array | undefined

  get length(): number {
    return this.#count
  }

  /** At most 2^16-1 bytes; copied. */
  add(name: Uint8Array): void {
    if (this.#used + name.length > this.#bytes.length) this.#growBytes(name.length)
    if (this.#count === this.#starts.length) this.#growNames()
    this.#bytes.set(name, this.#used)
    this.#starts[this.#count] = this.#used
    this.#lengths[this.#count++] = name.length
    this.#used += name.length
    this.#order = undefined
  }

  /** The name at `index` in order of bytes: a view, good as long as this list is. */
  at(index: number): Uint8Array {
    this.#order ??= this.#sorted()
    return this.#added(this.#order[index])
  }

  has(name: Uint8Array): boolean {
    let [low, high] = [0, this.#count]
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compareBytes(this.at(middle), name)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle
    }
    return false
  }

  #added(number: number): Uint8Array {
    const start = this.#starts[number]
    return this.#bytes.subarray(start, start + this.#lengths[number])
  }

  /** Views of all names make sorting fast, and are too many in the widest directories. */
  #sorted(): Uint32Array {
    const numbers = Uint32Array.from({ length: this.#count }, (_, i) => i)
    if (this.#count > maxViews)
      return numbers.sort((a, b) => compareBytes(this.#added(a), this.#added(b)))
    const views = Array.from(numbers, (number) => this.#added(number))
    return numbers.sort((a, b) => compareBytes(views[a], views[b]))
  }

  #growBytes(wanted: number): void {
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#used + wanted))
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  #growNames(): void {
    const starts = new Uint32Array(2 * this.#starts.length)
    const lengths = new Uint16Array(2 * this.#lengths.length)
    starts.set(this.#starts)
    lengths.set(this.#lengths)
    this.#starts = starts
    this.#lengths = lengths
  }
}
