/** The objects that a row names: by a short list of numbers in the row, and places in that list. */
import type { ObjectRef } from '../../tree/refs.ts'
import type { ObjectTable } from './object-table.ts'
import type { RowBuilder, RowParser } from './row-bytes.ts'
import type { ObjectSink, ObjectSource } from './stored-rows.ts'

/** Collects the list of one row after the other. */
export class RowObjectSink implements ObjectSink {
  readonly #table: ObjectTable
  readonly numbers: number[] = []
  /** Files of a bundle come one after the other, all with the one ref. */
  #last: { object: ObjectRef; number: number } | undefined

  constructor(table: ObjectTable) {
    this.#table = table
  }

  clear(): void {
    this.numbers.length = 0
  }

  write(out: RowBuilder, object: ObjectRef): void {
    if (this.#last?.object !== object) this.#last = { object, number: this.#table.add(object) }
    const { number } = this.#last
    const known = this.numbers.indexOf(number)
    out.varint(known >= 0 ? known : this.numbers.push(number) - 1)
  }

  /** For a row that is nothing but its list. */
  list(object: ObjectRef): void {
    this.numbers.push(this.#table.add(object))
  }
}

export class RowObjectSource implements ObjectSource {
  readonly #table: ObjectTable
  readonly #numbers: readonly number[]

  constructor(table: ObjectTable, numbers: readonly number[]) {
    this.#table = table
    this.#numbers = numbers
  }

  read(row: RowParser): ObjectRef {
    return this.#table.at(this.#numbers[row.varint(0, this.#numbers.length - 1)])
  }

  all(): ObjectRef[] {
    return this.#numbers.map((number) => this.#table.at(number))
  }
}

export function writeNumbers(out: RowBuilder, numbers: readonly number[]): void {
  out.varint(numbers.length)
  for (const number of numbers) out.varint(number)
}

/** Throws E_CACHE. A number takes a byte at least, so no list is longer than its row. */
export function readNumbers(row: RowParser): number[] {
  const count = row.varint()
  const numbers: number[] = []
  while (numbers.length < count) numbers.push(row.varint(0, 2 ** 32 - 1))
  return numbers
}
