/**
 * Numbers for files of more than one name: those of one walk with the same number are one file. A
 * number comes from the path of the first of them, so that files elsewhere come and go without
 * changing it, and never from an inode.
 */
import { readU32be } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'

const highBits = 2 ** 21

export class HardLinks {
  readonly #numbers = new Map<string, { number: number; left: bigint }>()
  readonly #used = new Set<number>()

  /** The number of the file at `path`, or undefined if this is its only name. */
  numberOf(
    path: Uint8Array,
    { dev, ino, nlink }: { dev: bigint; ino: bigint; nlink: bigint },
  ): number | undefined {
    if (nlink < 2n) return undefined
    const key = `${dev}:${ino}`
    const seen = this.#numbers.get(key) ?? { number: this.#freeNumber(path), left: nlink }
    // a file whose names have all been seen will not be asked for again
    if (--seen.left === 0n) this.#numbers.delete(key)
    else this.#numbers.set(key, seen)
    return seen.number
  }

  #freeNumber(path: Uint8Array): number {
    const digest = sha256(path)
    let number = (readU32be(digest, 0) % highBits) * 2 ** 32 + readU32be(digest, 4)
    while (this.#used.has(number)) number = (number + 1) % Number.MAX_SAFE_INTEGER
    this.#used.add(number)
    return number
  }
}
