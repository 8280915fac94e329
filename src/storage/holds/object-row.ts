/** What an index on disk keeps of an object: a row of few bytes, as there are millions (docs/specs/holds.md, "Index"). */
import { ByteReader } from '../byte-fields.ts'
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
  const { chargedBytes, leavingMs, shares, damaged, holds } = object
  const out = new RowWriter(rowBytes(object))
  out.u64(chargedBytes)
  out.u64(leavingMs)
  for (const list of [shares, damaged]) {
    out.u8(list.length)
    out.raw(list)
  }
  for (const hold of holds) {
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
  return out.bytes
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

/** Length of the row of an object. */
function rowBytes({ shares, damaged, holds }: HeldObject): number {
  let byteCount = 8 + 8 + 1 + shares.length + 1 + damaged.length
  for (const { expiresMs, releasedMs, payer } of holds) {
    byteCount += 4 + 8 + 1
    if (expiresMs > 0) byteCount += 8
    if (releasedMs > 0) byteCount += 8 + 8
    if (payer !== undefined) byteCount += 4
  }
  return byteCount
}

/** Writes a row into one array: the row of an object that a thousand hold is written often. */
class RowWriter {
  readonly bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(byteCount: number) {
    this.bytes = new Uint8Array(byteCount)
    this.#view = new DataView(this.bytes.buffer)
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value)
    this.#at += 1
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  u64(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`row: ${value} is no count`)
    this.u32(Math.floor(value / 2 ** 32))
    this.u32(value % 2 ** 32)
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }
}
