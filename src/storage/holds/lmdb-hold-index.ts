/**
 * An index of holds on disk, in LMDB: it opens in no time however large it is, and several processes
 * may use it at once. Nothing of it is synced before it is closed; whether it can be believed after a
 * crash is for the journal to say. This module is loaded when it is needed: the addon takes its time.
 *
 *   'o' ‖ storage index               a row (object-row.ts)
 *   'h' ‖ number ‖ storage index      nothing: its holder holds it
 *   'n' ‖ holder                      number of the holder, u32
 *   'i' ‖ number                      the holder, and its totals, three u64
 *   'r' ‖ account ‖ author            number of the last release, u64
 *   'm' ‖ name of a segment           up to where it is carried out, u64
 *   'c'                               there if every share of the store is known
 */
import {
  concat,
  fromHex,
  readU32be,
  readU64be,
  toHex,
  u32be,
  u64be,
  utf8,
} from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { storageIndexBytes } from '../../encoding/descriptor.ts'
import type { StorageIndex } from '../request.ts'
import { chargedFor, type HeldObject, type Hold, type Holder, holderBytes } from './held-object.ts'
import { IndexRows, type IndexRowsOptions, key } from './index-rows.ts'
import type { HolderTotals, HoldIndex, HoldWriter, ObjectPage } from './hold-index.ts'
import { formatRow, type HolderNumbers, parseRow } from './object-row.ts'

const nothing = new Uint8Array(0)
/** Holders that are known by heart. */
const maxMet = 10_000
const noTotals: HolderTotals = { chargedBytes: 0, objectCount: 0, damagedCount: 0 }
const completeKey = key('c')

export class LmdbHoldIndex implements HoldIndex, HoldWriter {
  readonly #rows: IndexRows
  /** Of holders that were met, both ways; they never change. */
  readonly #names = new Map<number, Holder>()
  readonly #numbersMet = new Map<Holder, number>()
  readonly #numbers: HolderNumbers

  private constructor(rows: IndexRows) {
    this.#rows = rows
    this.#numbers = {
      numberOf: (holder) => this.#numberOf(holder),
      holderOf: (number) => this.#holderOf(number),
    }
  }

  /**
   * Opens the index in a directory of its own; makes it if it is not there, and anew if what is there is
   * not sound. Throws E_IO.
   */
  static async open(directory: string, options: IndexRowsOptions): Promise<LmdbHoldIndex> {
    return new LmdbHoldIndex(IndexRows.open(directory, options))
  }

  get isComplete(): boolean {
    return this.#rows.get(completeKey) !== undefined
  }

  object(storageIndex: StorageIndex): HeldObject | undefined {
    const row = this.#rows.get(key('o', storageIndex))
    return row && parseRow(row, this.#numbers, damaged)
  }

  totals(holder: Holder): HolderTotals {
    const number = this.#knownNumber(holder)
    const row = number === undefined ? undefined : this.#rows.get(key('i', u32be(number)))
    return row === undefined ? noTotals : totalsOf(row)
  }

  holders(): Holder[] {
    return this.#rows
      .range('i', nothing)
      .filter(({ value }) => totalsOf(value).objectCount > 0)
      .map(({ value }) => toHex(value.subarray(0, holderBytes)))
  }

  lastRelease(account: Holder, author: Uint8Array): number {
    return numberIn(this.#rows.get(key('r', fromHex(account), author)))
  }

  releases(): ReturnType<HoldIndex['releases']> {
    return this.#rows.range('r', nothing).map(({ suffix, value }) => ({
      account: toHex(suffix.subarray(0, holderBytes)),
      author: suffix.slice(holderBytes),
      releaseSeq: numberIn(value),
    }))
  }

  marks(): ReadonlyMap<string, number> {
    const marks = this.#rows.range('m', nothing)
    return new Map(marks.map(({ suffix, value }) => [toText(suffix), numberIn(value)]))
  }

  get rowCount(): number {
    return this.#rows.count
  }

  page({ after, limit, holder }: Parameters<HoldIndex['page']>[0]): ObjectPage {
    const number = holder === undefined ? undefined : this.#knownNumber(holder)
    if (holder !== undefined && number === undefined) return { objects: [], complete: true }
    const [kind, prefix] = number === undefined ? ['o', nothing] : ['h', u32be(number)]
    const rows = this.#rows.range(kind, prefix, { after, limit: limit + 1 })
    const objects = rows.slice(0, limit).flatMap(({ suffix, value }) => {
      const storageIndex = suffix.slice(-storageIndexBytes)
      const row = number === undefined ? value : this.#rows.get(key('o', storageIndex))
      return row === undefined
        ? []
        : { storageIndex, object: parseRow(row, this.#numbers, damaged) }
    })
    return { objects, complete: rows.length <= limit }
  }

  async change<T>(work: (writer: HoldWriter) => T): Promise<T> {
    try {
      return this.#rows.change(() => work(this))
    } catch (error) {
      // it may have met holders that are not there now
      this.#forgetMet()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#rows.close()
  }

  setObject(storageIndex: StorageIndex, object: HeldObject | undefined): void {
    const before = this.object(storageIndex)
    const place = key('o', storageIndex)
    if (object === undefined) this.#rows.remove(place)
    else this.#rows.put(place, formatRow(object, this.#numbers))
    const same = sameHolds(before, object)
    const [left, made] = [before, object].map(
      (each) => each && { ...each, holds: each.holds.slice(same) },
    )
    this.#count(left, made)
    const holdersBefore = new Set(left?.holds.map(({ holder }) => holder))
    const holdersAfter = new Set(made?.holds.map(({ holder }) => holder))
    for (const holder of new Set([...holdersBefore, ...holdersAfter])) {
      const [was, is] = [holdersBefore.has(holder), holdersAfter.has(holder)]
      if (was === is) continue
      const held = key('h', u32be(this.#numberOf(holder)), storageIndex)
      if (is) this.#rows.put(held, nothing)
      else this.#rows.remove(held)
    }
  }

  setLastRelease(account: Holder, author: Uint8Array, releaseSeq: number): void {
    this.#rows.put(key('r', fromHex(account), author), u64be(releaseSeq))
  }

  setMark(segment: string, offset: number | undefined): void {
    const place = key('m', utf8(segment))
    if (offset === undefined) this.#rows.remove(place)
    else this.#rows.put(place, u64be(offset))
  }

  setComplete(isComplete: boolean): void {
    if (isComplete) this.#rows.put(completeKey, nothing)
    else this.#rows.remove(completeKey)
  }

  /** Charges everyone for `after` instead of `before`. */
  #count(before: HeldObject | undefined, after: HeldObject | undefined): void {
    const changes = new Map<Holder, HolderTotals>()
    for (const holder of chargedFor(before)) addTotals(changes, holder, before!, -1)
    for (const holder of chargedFor(after)) addTotals(changes, holder, after!, 1)
    for (const [holder, change] of changes) {
      const { chargedBytes, objectCount, damagedCount } = change
      if (chargedBytes === 0 && objectCount === 0 && damagedCount === 0) continue
      const totals = this.totals(holder)
      const next = [
        totals.chargedBytes + chargedBytes,
        totals.objectCount + objectCount,
        totals.damagedCount + damagedCount,
      ]
      const row = concat(fromHex(holder), ...next.map((value) => u64be(Math.max(0, value))))
      this.#rows.put(key('i', u32be(this.#numberOf(holder))), row)
    }
  }

  #meet(number: number, holder: Holder): void {
    if (this.#names.size >= maxMet) this.#forgetMet()
    this.#names.set(number, holder)
    this.#numbersMet.set(holder, number)
  }

  #forgetMet(): void {
    this.#names.clear()
    this.#numbersMet.clear()
  }

  #knownNumber(holder: Holder): number | undefined {
    const met = this.#numbersMet.get(holder)
    if (met !== undefined) return met
    const value = this.#rows.get(key('n', fromHex(holder)))
    const number = value && readU32be(value, 0)
    if (number !== undefined) this.#meet(number, holder)
    return number
  }

  /** Gives the holder a number if it has none: within a change alone. */
  #numberOf(holder: Holder): number {
    const known = this.#knownNumber(holder)
    if (known !== undefined) return known
    const last = this.#rows.range('i', nothing, { limit: 1, reverse: true }).at(0)
    const number = last === undefined ? 0 : readU32be(last.suffix, 0) + 1
    this.#rows.put(key('n', fromHex(holder)), u32be(number))
    this.#rows.put(key('i', u32be(number)), concat(fromHex(holder), new Uint8Array(24)))
    return number
  }

  #holderOf(number: number): Holder {
    const known = this.#names.get(number)
    if (known !== undefined) return known
    const row = this.#rows.get(key('i', u32be(number)))
    if (row === undefined) throw damaged()
    const holder = toHex(row.subarray(0, holderBytes))
    this.#meet(number, holder)
    return holder
  }
}

/** How many of the first holds of both charge the same ones the same: of a thousand mostly all but one. */
function sameHolds(before: HeldObject | undefined, after: HeldObject | undefined): number {
  const isChargedAlike =
    before?.chargedBytes === after?.chargedBytes &&
    (before?.damaged.length ?? 0) > 0 === (after?.damaged.length ?? 0) > 0
  if (before === undefined || after === undefined || !isChargedAlike) return 0
  const first = before.holds.findIndex(({ holder, payer }, i) => {
    const other = after.holds[i] as Hold | undefined
    return holder !== other?.holder || payer !== other.payer
  })
  return first < 0 ? before.holds.length : first
}

function addTotals(
  into: Map<Holder, HolderTotals>,
  holder: Holder,
  { chargedBytes, damaged }: HeldObject,
  sign: 1 | -1,
): void {
  const sum = into.get(holder) ?? noTotals
  into.set(holder, {
    chargedBytes: sum.chargedBytes + sign * chargedBytes,
    objectCount: sum.objectCount + sign,
    damagedCount: sum.damagedCount + (damaged.length > 0 ? sign : 0),
  })
}

function totalsOf(row: Uint8Array): HolderTotals {
  const [chargedBytes, objectCount, damagedCount] = [0, 8, 16].map((at) =>
    numberIn(row.subarray(holderBytes + at, holderBytes + at + 8)),
  )
  return { chargedBytes, objectCount, damagedCount }
}

function numberIn(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : (readU64be(value, 0) ?? 0)
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function damaged(): GridError {
  return new GridError('E_IO', 'the index of holds is damaged')
}
