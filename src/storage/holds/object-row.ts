/** What an index on disk keeps of an object: a row of few bytes, as there are millions (docs/specs/holds.md, "Index"). */
import { ByteReader, ByteWriter } from '../byte-fields.ts'
import type { HeldObject, Hold, Holder } from './held-object.ts'

/** Which of the fields that are mostly 0 a hold has. */
const flags = { expires: 1, released: 2, payer: 4 } as const

/** Holders as the small numbers that an index calls them by. */
export interface HolderNumbers {
  numberOf(holder: Holder): number
  /** Throws for a number that was not given. */
  holderOf(number: number): Holder
}

export function formatRow(object: HeldObject, numbers: HolderNumbers): Uint8Array {
  const out = new ByteWriter()
  out.u64(object.chargedBytes)
  out.u64(object.leavingMs)
  for (const list of [object.shares, object.damaged]) {
    out.u8(list.length)
    out.raw(list)
  }
  for (const hold of object.holds) {
    const { holder, payer, touchedMs, expiresMs, releasedMs, cutoffMs } = hold
    out.u32(numbers.numberOf(holder))
    out.u64(touchedMs)
    out.u8(flagsOf(hold))
    if (expiresMs > 0) out.u64(expiresMs)
    if (releasedMs > 0) {
      out.u64(releasedMs)
      out.u64(cutoffMs)
    }
    if (payer !== undefined) out.u32(numbers.numberOf(payer))
  }
  return out.bytes()
}

/** Throws what `fail` makes for a row that is damaged. `row` may be reused afterwards. */
export function parseRow(row: Uint8Array, numbers: HolderNumbers, fail: () => Error): HeldObject {
  const input = new ByteReader(row, fail)
  const chargedBytes = input.u64()
  const leavingMs = input.u64()
  const [shares, damaged] = [0, 1].map(() => Uint8Array.from(input.raw(input.u8())))
  const holds: Hold[] = []
  while (!input.isAtEnd) {
    const holder = numbers.holderOf(input.u32())
    const touchedMs = input.u64()
    const has = input.u8()
    const expiresMs = has & flags.expires ? input.u64() : 0
    const releasedMs = has & flags.released ? input.u64() : 0
    const cutoffMs = has & flags.released ? input.u64() : 0
    const payer = has & flags.payer ? numbers.holderOf(input.u32()) : undefined
    holds.push({ holder, payer, touchedMs, expiresMs, releasedMs, cutoffMs })
  }
  return { chargedBytes, shares, damaged, leavingMs, holds }
}

function flagsOf({ payer, expiresMs, releasedMs }: Hold): number {
  const dated = expiresMs > 0 ? flags.expires : 0
  const released = releasedMs > 0 ? flags.released : 0
  return dated | released | (payer === undefined ? 0 : flags.payer)
}
