/**
 * Objects by number (docs/specs/backup-cache.md, "Objects"): packed, since a home of large files has
 * a million of them.
 */
import { compareBytes, readU32be } from '../../base/bytes.ts'
import { keyBytes } from '../../caps/keys.ts'
import { maxCiphertextBytes, minCiphertextBytes } from '../../encoding/padme.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import { damagedCache } from './sealed-page.ts'

/** root (32) ‖ k ‖ n ‖ u32 ciphertext bytes */
export const objectRecordBytes = 38

export class ObjectTable {
  #records: Uint8Array = new Uint8Array(64 * objectRecordBytes)
  #count = 0
  /** Objects that had no root when they were added. */
  readonly #pending = new Map<ObjectRef, number>()
  /** Open addressing: number + 1, or 0 where nothing is. A root is a hash: its first bytes will do. */
  #slots: Uint32Array = new Uint32Array(128)

  get count(): number {
    return this.#count
  }

  /**
   * The number of an object, which is given it where it has none: 0 and up. One that is being filled
   * and has no root yet keeps its number, and may come to have two.
   */
  add(ref: ObjectRef): number {
    const pending = this.#pending.get(ref)
    if (pending !== undefined) return pending
    if (ref.root.length > 0) return this.addRecord(objectRecord(ref))
    const number = this.#next()
    this.#pending.set(ref, number)
    return number
  }

  has(ref: ObjectRef): boolean {
    return this.#slots[this.#slotOf(objectRecord(ref))] > 0
  }

  /** Takes down what came to be known of objects that had no root. Throws RangeError if one has none still. */
  settle(): void {
    for (const [ref, number] of this.#pending)
      this.#records.set(objectRecord(ref), number * objectRecordBytes)
    this.#pending.clear()
  }

  /** As `add`, of what `record` gave; it is copied. */
  addRecord(record: Uint8Array): number {
    const slot = this.#slotOf(record)
    if (this.#slots[slot] > 0) return this.#slots[slot] - 1
    const number = this.#next()
    this.#records.set(record, number * objectRecordBytes)
    this.#slots[this.#slotOf(record)] = number + 1
    return number
  }

  /** Throws E_CACHE where no object has that number. */
  at(number: number): ObjectRef {
    return parseObjectRecord(this.record(number))
  }

  /** A view of an object's record, good until the next one is added. Throws E_CACHE. */
  record(number: number): Uint8Array {
    if (number >= this.#count) throw damagedCache('an object that is not in the table')
    return this.#records.subarray(number * objectRecordBytes, (number + 1) * objectRecordBytes)
  }

  /** All of them, by number. */
  *[Symbol.iterator](): Generator<ObjectRef, void> {
    for (let number = 0; number < this.#count; number++) yield this.at(number)
  }

  /** Where an object is, or would be. */
  #slotOf(record: Uint8Array): number {
    const mask = this.#slots.length - 1
    let slot = readU32be(record, 0) & mask
    while (this.#slots[slot] > 0) {
      if (compareBytes(this.record(this.#slots[slot] - 1), record) === 0) return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #next(): number {
    const number = this.#count++
    if (number * objectRecordBytes === this.#records.length) this.#grow()
    return number
  }

  #grow(): void {
    const records = new Uint8Array(2 * this.#records.length)
    records.set(this.#records)
    this.#records = records
    const known = this.#count - 1
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let number = 0; number < known; number++)
      this.#slots[this.#slotOf(this.record(number))] = number + 1
  }
}

/** Throws RangeError for what names no object. */
export function objectRecord({ root, k, n, ciphertextBytes }: ObjectRef): Uint8Array {
  if (root.length !== keyBytes) throw new RangeError('backup cache: an object without its root')
  const record = new Uint8Array(objectRecordBytes)
  record.set(root)
  record[32] = k
  record[33] = n
  new DataView(record.buffer).setUint32(34, ciphertextBytes)
  return record
}

/** The inverse; the result is the caller's. Throws E_CACHE. */
export function parseObjectRecord(record: Uint8Array): ObjectRef {
  const [k, n] = [record[32], record[33]]
  const ciphertextBytes = readU32be(record, 34)
  const isSound =
    k >= 1 &&
    k <= n &&
    ciphertextBytes >= minCiphertextBytes &&
    ciphertextBytes <= maxCiphertextBytes
  if (!isSound) throw damagedCache('an object that cannot be')
  return { root: record.slice(0, keyBytes), k, n, ciphertextBytes }
}
