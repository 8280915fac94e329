/**
 * Small files, links and devices whose content is at hand, as one message to another thread: columns
 * of numbers and one run of bytes, since objects by the thousand cost more to send than to restore.
 */
import { compressions } from '../../encoding/compression.ts'
import type { StreamShape } from '../../encoding/file-stream.ts'
import { type EntryFacts, localKinds } from '../../local/facts.ts'
import type { EntryMeta } from '../../tree/entry-meta.ts'
import type { StreamRef } from '../../tree/stream-row.ts'

/** Where the content of a file is: in the sealed bytes beside the batch, or here. */
export type BatchContent = (StreamShape & { offset: number }) | Uint8Array

export interface BatchItem {
  /** The number that the caller gave to its directory. */
  directory: number
  /** Without the number of a hard link, which another thread could do nothing with. */
  facts: EntryFacts
  content: BatchContent
}

/** Plain data. */
export interface BatchMessage {
  numbers: Float64Array
  bytes: Uint8Array
  owners: string[]
  /** What few entries have, by number of the item. */
  rest: Map<number, Pick<EntryMeta, 'xattrs' | 'device'>>
}

const numbersPerItem = 16
const absent = -1

export class FileBatch {
  readonly #numbers: number[] = []
  readonly #owners: string[] = []
  readonly #ownerNumbers = new Map<string, number>()
  readonly #rest = new Map<number, Pick<EntryMeta, 'xattrs' | 'device'>>()
  #bytes = new Uint8Array(4096)
  #length = 0

  get itemCount(): number {
    return this.#numbers.length / numbersPerItem
  }

  /** What is given is copied. */
  add(directory: number, facts: EntryFacts, content: StreamRef | Uint8Array): void {
    const { name, kind, mode, mtime, meta, sizeBytes, target = nothing } = facts
    const { uid = absent, gid = absent, owner, group, xattrs, device } = meta
    if (xattrs !== undefined || device !== undefined) {
      const copied = xattrs?.map((each) => ({ name: each.name.slice(), value: each.value.slice() }))
      const rest = { ...(copied && { xattrs: copied }), ...(device && { device }) }
      this.#rest.set(this.itemCount, rest)
    }
    const isHere = content instanceof Uint8Array
    const inline = isHere ? content : content.readKey
    const numbers = this.#numbers
    numbers.push(directory, localKinds.indexOf(kind), mode, mtime.seconds, mtime.nanoseconds)
    numbers.push(uid, gid, this.#owner(owner), this.#owner(group), sizeBytes)
    numbers.push(this.#put(name), this.#put(target), this.#put(inline))
    if (isHere) numbers.push(absent, absent, absent)
    else {
      const codec = compressions.indexOf(content.compression)
      numbers.push(content.offset, content.storedBytes, codec)
    }
  }

  message(): BatchMessage {
    return {
      numbers: Float64Array.from(this.#numbers),
      bytes: this.#bytes.slice(0, this.#length),
      owners: this.#owners,
      rest: this.#rest,
    }
  }

  #owner(name: string | undefined): number {
    if (name === undefined) return absent
    let number = this.#ownerNumbers.get(name)
    if (number === undefined) {
      number = this.#owners.push(name) - 1
      this.#ownerNumbers.set(name, number)
    }
    return number
  }

  /** Resolves to where it ends: it begins where the one before it does. */
  #put(bytes: Uint8Array): number {
    const end = this.#length + bytes.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = end
    return end
  }
}

/** Yields what was added, in order; bytes are views of the message's. */
export function* itemsOf({ numbers, bytes, owners, rest }: BatchMessage): Generator<BatchItem> {
  let start = 0
  const take = (end: number): Uint8Array => {
    const taken = bytes.subarray(start, end)
    start = end
    return taken
  }
  for (let at = 0; at < numbers.length; at += numbersPerItem) {
    const meta: EntryMeta = { ...rest.get(at / numbersPerItem) }
    if (numbers[at + 5] !== absent) meta.uid = numbers[at + 5]
    if (numbers[at + 6] !== absent) meta.gid = numbers[at + 6]
    if (numbers[at + 7] !== absent) meta.owner = owners[numbers[at + 7]]
    if (numbers[at + 8] !== absent) meta.group = owners[numbers[at + 8]]
    const sizeBytes = numbers[at + 9]
    const name = take(numbers[at + 10])
    const target = take(numbers[at + 11])
    const mtime = { seconds: numbers[at + 3], nanoseconds: numbers[at + 4] }
    const kind = localKinds[numbers[at + 1]]
    const facts: EntryFacts = { name, kind, mode: numbers[at + 2], mtime, meta, sizeBytes }
    if (target.length > 0) facts.target = target
    const inline = take(numbers[at + 12])
    const offset = numbers[at + 13]
    const compression = compressions[numbers[at + 15]]
    const storedBytes = numbers[at + 14]
    const stream = { readKey: inline, plaintextBytes: sizeBytes, compression, storedBytes, offset }
    const content = offset === absent ? inline : stream
    yield { directory: numbers[at], facts, content }
  }
}

const nothing = new Uint8Array(0)
