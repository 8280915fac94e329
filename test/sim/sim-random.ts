/**
 * Seeded randomness: Chris Doty-Humphrey's sfc32 (PractRand), started from a SHA-256 of the seed's
 * text. Fast, the same on every machine, and of course not fit for keys outside a simulation.
 */
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { Random } from '../../src/base/random.ts'

export class SimRandom implements Random {
  readonly seed: string
  #a: number
  #b: number
  #c: number
  #counter: number

  constructor(seed: string) {
    this.seed = seed
    const digest = sha256(utf8(`grid/sim/${seed}`))
    const words = new DataView(digest.buffer, digest.byteOffset)
    this.#a = words.getInt32(0)
    this.#b = words.getInt32(4)
    this.#c = words.getInt32(8)
    this.#counter = words.getInt32(12)
  }

  /** A stream of its own for `label`, the same however much was drawn from this one. */
  fork(label: string): SimRandom {
    return new SimRandom(`${this.seed}/${label}`)
  }

  /** An integer of 0 … 2^32-1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  bytes(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4))
    for (let i = 0; i < words.length; i++) words[i] = this.u32()
    return new Uint8Array(words.buffer, 0, length)
  }

  /** A real number of [0, 1). */
  unit(): number {
    return this.u32() / 2 ** 32
  }

  /** An integer of 0 … `below`-1. */
  below(below: number): number {
    return Math.floor(this.unit() * below)
  }

  /** An integer of `low` … `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('pick: nothing to pick from')
    return list[this.below(list.length)]
  }

  /** A time with mean `mean` and a long tail, as waiting times have. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit())
  }

  /** A new array of the same items in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[out[i], out[j]] = [out[j], out[i]]
    }
    return out
  }
}
