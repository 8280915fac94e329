/** What a directory of the target holds and the entries that fill it do not name. */
import { compareBytes } from '../base/bytes.ts'
import type { NameList } from './name-list.ts'

export class Surplus {
  readonly #names: NameList
  #next = 0
  readonly #found: Uint8Array[] = []

  constructor(names: NameList) {
    this.#names = names
  }

  /** The entries name this; names come ascending. */
  named(name: Uint8Array): void {
    while (this.#next < this.#names.length) {
      const next = this.#names.at(this.#next)
      const order = compareBytes(next, name)
      if (order > 0) return
      if (order < 0) this.#found.push(next)
      this.#next++
    }
  }

  /** All that was not named, once everything has been. */
  rest(): readonly Uint8Array[] {
    while (this.#next < this.#names.length) this.#found.push(this.#names.at(this.#next++))
    return this.#found
  }
}
