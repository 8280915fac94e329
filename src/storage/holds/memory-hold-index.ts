/** An index of holds in memory: of a store in memory, and the twin of that on disk in tests. */
import { fromHex, toHex } from '../../base/bytes.ts'
import type { StorageIndex } from '../request.ts'
import { chargedFor, type HeldObject, type Holder, holderBytes } from './held-object.ts'
import type { HolderTotals, HoldIndex, HoldWriter, ObjectPage } from './hold-index.ts'

const noTotals: HolderTotals = { chargedBytes: 0, objectCount: 0, damagedCount: 0 }

export class MemoryHoldIndex implements HoldIndex, HoldWriter {
  /** By the hex of the storage index, as in all below. */
  readonly #objects = new SortedMap<HeldObject>()
  readonly #byHolder = new Map<Holder, SortedMap<HeldObject>>()
  readonly #totals = new Map<Holder, HolderTotals>()
  readonly #releases = new Map<string, number>()
  readonly #marks = new Map<string, number>()
  /** Takes back what the change under way has done, last things first. */
  #undo: (() => void)[] = []
  isComplete = false

  object(storageIndex: StorageIndex): HeldObject | undefined {
    return this.#objects.get(toHex(storageIndex))
  }

  totals(holder: Holder): HolderTotals {
    return this.#totals.get(holder) ?? noTotals
  }

  lastRelease(account: Holder, author: Uint8Array): number {
    return this.#releases.get(account + toHex(author)) ?? 0
  }

  async change<T>(work: (writer: HoldWriter) => T): Promise<T> {
    this.#undo = []
    try {
      return work(this)
    } catch (error) {
      for (const step of this.#undo.reverse()) step()
      throw error
    }
  }

  page(options: Parameters<HoldIndex['page']>[0]): ObjectPage {
    const { after, limit, holder } = options
    const from = holder === undefined ? this.#objects : this.#byHolder.get(holder)
    const { rows, complete } = from?.page(after && toHex(after), limit) ?? noRows
    const objects = rows.map(([key, object]) => ({ storageIndex: fromHex(key), object }))
    return { objects, complete }
  }

  holders(): Holder[] {
    return [...this.#totals.keys()]
  }

  releases(): ReturnType<HoldIndex['releases']> {
    return [...this.#releases].map(([key, releaseSeq]) => ({
      account: key.slice(0, 2 * holderBytes),
      author: fromHex(key.slice(2 * holderBytes)),
      releaseSeq,
    }))
  }

  marks(): ReadonlyMap<string, number> {
    return this.#marks
  }

  get rowCount(): number {
    let rows = this.#objects.size
    for (const held of this.#byHolder.values()) rows += held.size
    return rows
  }

  async close(): Promise<void> {}

  setObject(storageIndex: StorageIndex, object: HeldObject | undefined): void {
    const key = toHex(storageIndex)
    const before = this.#objects.get(key)
    this.#replace(key, before, object)
    this.#undo.push(() => this.#replace(key, object, before))
  }

  setLastRelease(account: Holder, author: Uint8Array, releaseSeq: number): void {
    this.#set(this.#releases, account + toHex(author), releaseSeq)
  }

  setMark(segment: string, offset: number | undefined): void {
    this.#set(this.#marks, segment, offset)
  }

  setComplete(isComplete: boolean): void {
    const before = this.isComplete
    this.isComplete = isComplete
    this.#undo.push(() => (this.isComplete = before))
  }

  #set(map: Map<string, number>, key: string, value: number | undefined): void {
    const before = map.get(key)
    put(map, key, value)
    this.#undo.push(() => put(map, key, before))
  }

  #replace(key: string, before: HeldObject | undefined, after: HeldObject | undefined): void {
    this.#objects.set(key, after)
    for (const holder of chargedFor(before)) this.#count(holder, before!, -1)
    for (const holder of chargedFor(after)) this.#count(holder, after!, 1)
    for (const { holder } of before?.holds ?? []) this.#byHolder.get(holder)?.set(key, undefined)
    for (const { holder } of after?.holds ?? []) {
      const held = this.#byHolder.get(holder) ?? new SortedMap<HeldObject>()
      held.set(key, after)
      this.#byHolder.set(holder, held)
    }
  }

  #count(holder: Holder, { chargedBytes, damaged }: HeldObject, sign: 1 | -1): void {
    const before = this.totals(holder)
    const totals = {
      chargedBytes: before.chargedBytes + sign * chargedBytes,
      objectCount: before.objectCount + sign,
      damagedCount: before.damagedCount + (damaged.length > 0 ? sign : 0),
    }
    put(this.#totals, holder, totals.objectCount === 0 ? undefined : totals)
  }
}

const noRows = { rows: [], complete: true }

/** A map whose keys are sorted when they are asked for, and again once others have come. */
class SortedMap<T> {
  readonly #values = new Map<string, T>()
  #sorted: string[] | undefined

  get size(): number {
    return this.#values.size
  }

  get(key: string): T | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: T | undefined): void {
    if (this.#values.has(key) !== (value !== undefined)) this.#sorted = undefined
    put(this.#values, key, value)
  }

  page(after: string | undefined, limit: number): { rows: [string, T][]; complete: boolean } {
    const keys = (this.#sorted ??= [...this.#values.keys()].sort())
    const start = after === undefined ? 0 : firstAbove(keys, after)
    const rows = keys
      .slice(start, start + limit)
      .map((key): [string, T] => [key, this.#values.get(key)!])
    return { rows, complete: start + limit >= keys.length }
  }
}

/** Where the first of ascending `keys` stands that is above `bound`. */
function firstAbove(keys: readonly string[], bound: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle] > bound) high = middle
    else low = middle + 1
  }
  return low
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
