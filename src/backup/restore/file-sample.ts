/** A random sample of files: so many of all, and at least a few of each class of sizes. */
import { readU32be } from '../../base/bytes.ts'
import type { Random } from '../../base/random.ts'

/** Upper ends of the classes in bytes, as files are stored: in the entry, in bundles, in extents. */
const classEnds = [64, 2 ** 12, 2 ** 16, 2 ** 20, 2 ** 22, Infinity]
const leastOfClass = 4

export class FileSample<T> {
  readonly #random: Random
  readonly #all: Reservoir<T>
  readonly #classes: Reservoir<T>[]

  /** @param count - of all files, ≥ 0 */
  constructor(random: Random, count: number) {
    this.#random = random
    this.#all = new Reservoir(count)
    this.#classes = classEnds.map(() => new Reservoir(leastOfClass))
  }

  /** Shows it one file; `make` is asked for what is kept of it, if it is taken for now. */
  offer(sizeBytes: number, make: () => T): void {
    let made: T | undefined
    const once = (): T => (made ??= make())
    this.#all.offer(this.#random, once)
    this.#classes[classEnds.findIndex((end) => sizeBytes <= end)].offer(this.#random, once)
  }

  /** What is in it in the end, nothing twice. */
  get chosen(): T[] {
    const all = [this.#all, ...this.#classes].flatMap((each) => each.kept)
    return [...new Set(all)]
  }
}

/** Each of those offered is in it with the same chance (Vitter's algorithm R). */
class Reservoir<T> {
  readonly #count: number
  readonly kept: T[] = []
  #seen = 0

  constructor(count: number) {
    this.#count = count
  }

  offer(random: Random, make: () => T): void {
    this.#seen++
    if (this.kept.length < this.#count) {
      this.kept.push(make())
      return
    }
    if (this.#count === 0) return
    const place = Math.floor((readU32be(random.bytes(4), 0) / 2 ** 32) * this.#seen)
    if (place < this.#count) this.kept[place] = make()
  }
}
