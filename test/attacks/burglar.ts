/**
 * A thief who has a copy of a home and of all shares, knows every format, and tries every 32 bytes
 * that he finds as a key of everything.
 */
import fs from 'node:fs'
import { readU32be, readU64be } from '../../src/base/bytes.ts'
import { commitmentOf } from '../../src/caps/keys.ts'
import { openPage, type PageKind } from '../../src/backup/memory/sealed-page.ts'
import { decrypt } from '../../src/encoding/seal.ts'
import { filesBelow } from '../trial/secrets-in.ts'

/** A sealed stream that a key opens: `key` in hexadecimal. */
export interface OpenedStream {
  key: string
  plaintext: Uint8Array
}

interface Ciphertext {
  bytes: Uint8Array
}

const keyBytes = 32
const commitmentBytes = 32
const segmentBytes = 2 ** 17
/** Streams may begin anywhere in objects that are no longer: bundles. Of others at 0 only. */
const maxBundleBytes = 2 ** 18
const sealTypes = ['raw', 'tree', 'dir'] as const
const sealBytes = 16
const pageBytes = 65_520
const headerBytes = 66

export class Burglar {
  /** Every byte of the home, and whatever any key in it opened. */
  readonly loot: Uint8Array[] = []
  /** By key. */
  readonly opened: Map<string, OpenedStream> = new Map<string, OpenedStream>()
  readonly #files: Map<string, Uint8Array>
  /** Where a stream may begin, by the first bytes of its commitment. */
  readonly #beginnings = new Map<string, [ciphertext: Ciphertext, offset: number][]>()
  readonly #tried = new Set<string>()

  /**
   * @param home - a folder
   * @param disk - the folder of an embedded grid of one share an object
   */
  constructor(home: string, disk: string) {
    this.#files = new Map(filesBelow(home).map((file) => [file, fs.readFileSync(file)]))
    for (const file of filesBelow(disk)) {
      const share = fs.readFileSync(file)
      if (share.subarray(0, 4).toString() === 'GRS1') this.#index({ bytes: ciphertextOf(share) })
    }
  }

  /** Opens what can be opened, until nothing new is found. */
  rob(): this {
    this.loot.push(...this.#files.values(), ...this.#pages())
    // what is opened may hold keys of more
    for (const bytes of this.loot) this.#tryKeysIn(bytes)
    return this
  }

  holds(part: Uint8Array): boolean {
    return this.loot.some((bytes) => Buffer.from(bytes).includes(Buffer.from(part)))
  }

  /** Every page and record that any key in the home opens, of whatever file. */
  #pages(): Uint8Array[] {
    const keys = [...this.#files.values()].filter(({ length }) => length === keyBytes)
    const pages: Uint8Array[] = []
    for (const file of this.#files.values())
      for (const key of keys) pages.push(...cachePages(file, key), ...journalRecords(file, key))
    return pages
  }

  #index(ciphertext: Ciphertext): void {
    const { bytes } = ciphertext
    const last = bytes.length > maxBundleBytes ? 0 : bytes.length - commitmentBytes
    for (let offset = 0; offset <= last; offset++) {
      const name = beginningOf(bytes.subarray(offset))
      const places = this.#beginnings.get(name) ?? []
      places.push([ciphertext, offset])
      this.#beginnings.set(name, places)
    }
  }

  #tryKeysIn(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at + keyBytes <= buffer.length; at++) {
      const name = buffer.toString('latin1', at, at + keyBytes)
      if (this.#tried.has(name)) continue
      this.#tried.add(name)
      this.#tryKey(bytes.subarray(at, at + keyBytes))
    }
  }

  #tryKey(key: Uint8Array): void {
    for (const type of sealTypes) {
      const commitment = commitmentOf(key, type)
      for (const [{ bytes }, offset] of this.#beginnings.get(beginningOf(commitment)) ?? []) {
        if (Buffer.compare(bytes.subarray(offset, offset + commitmentBytes), commitment) !== 0)
          continue
        // he cannot tell where it ends, and what follows does no harm
        const plaintext = decrypt(key, 0, bytes.subarray(offset + commitmentBytes))
        const name = Buffer.from(key).toString('hex')
        this.opened.set(name, { key: name, plaintext })
        if (type !== 'raw') this.loot.push(plaintext)
      }
    }
  }
}

function beginningOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, 8).toString('latin1')
}

/** Of a share that is all there is of its object: k = n = 1. */
function ciphertextOf(share: Uint8Array): Uint8Array {
  const descriptorBytes = share[6] * 256 + share[7]
  const length = readU64be(share, 8 + 8)!
  const segments = Math.ceil(length / segmentBytes)
  return share.subarray(8 + descriptorBytes + 64 * segments).subarray(0, length)
}

function opens(
  key: Uint8Array,
  kind: PageKind,
  number: number,
  sealed: Uint8Array,
): Uint8Array | undefined {
  try {
    return openPage(key, kind, number, sealed)
  } catch {
    return undefined
  }
}

/** Pages of a cache, as many as there are, whether the rest is whole or not. */
function cachePages(file: Uint8Array, key: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  const take = (page: Uint8Array | undefined): number => {
    if (page !== undefined) found.push(page)
    return page?.length ?? 0
  }
  take(opens(key, 'header', 0, file.subarray(0, headerBytes + sealBytes)))
  const trailer = opens(key, 'trailer', 2 ** 32 - 1, file.subarray(-32 - sealBytes))
  const lengths = trailer && [0, 4, 8, 12].map((at) => readU32be(trailer, at))
  let at = headerBytes + sealBytes
  for (let number = 1; at < file.length; number++) {
    const [rowPages, lastRow, objectPages, lastObject] = lengths ?? []
    const isRow = lengths === undefined || number <= rowPages
    const isLast = number === rowPages || number === rowPages + objectPages
    const length = lengths !== undefined && isLast ? (isRow ? lastRow : lastObject) : pageBytes
    const sealed = file.subarray(at, at + length + sealBytes)
    take(opens(key, 'rows', number, sealed) ?? opens(key, 'objects', number, sealed))
    at += length + sealBytes
  }
  return found
}

function journalRecords(file: Uint8Array, key: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0, number = 0; at + 4 < file.length; number++) {
    const length = readU32be(file, at)
    const record = opens(key, 'journal', number, file.subarray(at + 4, at + 4 + length))
    if (record !== undefined) found.push(record)
    at += 4 + length
  }
  return found
}
