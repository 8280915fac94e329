/** Randomness, as a port. */
import { randomBytes } from 'node:crypto'

export interface Random {
  /** `length` fresh bytes, fit for keys; the caller owns them. Throws if the source fails. */
  bytes(length: number): Uint8Array
}

/** The operating system's generator. */
export class SystemRandom implements Random {
  bytes(length: number): Uint8Array {
    return new Uint8Array(randomBytes(length))
  }
}

/** An integer of 0 … `below`-1, all about equally likely; `below` ≤ 2^32. */
export function randomBelow(random: Random, below: number): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = random.bytes(6)
  return Number(
    (BigInt(below) *
      BigInt(a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24 + e * 2 ** 32 + f * 2 ** 40)) >>
      48n,
  )
}
