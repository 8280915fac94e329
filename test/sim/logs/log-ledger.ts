/**
 * Entries for which a server has given receipts, checked against its disk: each is whole and durable,
 * from that moment on and after every crash, until the medium itself spoils it or goes back in time.
 */
import { toBase32 } from '../../../src/base/base32.ts'
import { equalBytes, toHex } from '../../../src/base/bytes.ts'
import { parseRun, tableBytesOf } from '../../../src/storage/log-run.ts'
import type { DiskNode } from '../disk-image.ts'
import { storeRoot } from '../ledger.ts'
import type { SimDisk } from '../sim-disk.ts'
import type { SignedEntry } from './log-truth.ts'

export class LogLedger {
  readonly #disk: SimDisk
  /** By author, seq and id. */
  readonly #entries = new Map<string, SignedEntry>()
  /** The medium has spoilt something: nothing is promised any more. */
  #spoilt = false

  constructor(disk: SimDisk) {
    this.#disk = disk
  }

  /** Whether the medium has lost or changed what was acknowledged. */
  get isSpoilt(): boolean {
    return this.#spoilt
  }

  /** Whether this server has given a receipt of the log. */
  get hasLog(): boolean {
    return this.#entries.size > 0
  }

  get entries(): Iterable<SignedEntry> {
    return this.#entries.values()
  }

  /** Notes an entry that is acknowledged now; returns what is wrong with it, if anything. */
  acknowledge(entry: SignedEntry): string | undefined {
    const key = keyOf(entry)
    if (this.#entries.has(key)) return undefined
    this.#entries.set(key, entry)
    if (this.#spoilt || this.#isDurable(entry)) return undefined
    return `entry ${key} would not survive a power cut`
  }

  /** The medium has spoilt the file at `path`. */
  spoil(path: string): void {
    if (path.startsWith(`/${storeRoot}/logs/`)) this.#spoilt = true
  }

  /** The medium holds an old state. */
  forget(): void {
    this.#spoilt = true
  }

  /** Acknowledged entries that are gone or have changed. */
  audit(): string[] {
    if (this.#spoilt) return []
    return [...this.#entries].flatMap(([key, entry]) =>
      this.#isDurable(entry) ? [] : [`entry ${key} is gone`],
    )
  }

  /** Authors, in hex, of whom the medium holds an entry that came second, as evidence of a fork. */
  *forked(logId: Uint8Array): Generator<string> {
    for (const [name, node] of this.#disk.image.durableEntries(directoryOf(logId))) {
      if (node.kind !== 'file' || tableBytesOf(name) === undefined) continue
      const table = node.durable.subarray(0, tableBytesOf(name))
      const [entry] = parseRun(name, table, node.durable.length) ?? []
      if (entry?.fork) yield toHex(entry.author)
    }
  }

  #isDurable({ logId, author, seq, id }: SignedEntry): boolean {
    const prefix = `${toBase32(author)}.`
    for (const [name, node] of this.#disk.image.durableEntries(directoryOf(logId))) {
      if (name.startsWith(prefix) && holds(name, node, seq, id)) return true
    }
    return false
  }
}

function directoryOf(logId: Uint8Array): string {
  const log = toBase32(logId)
  return `${storeRoot}/logs/${log.slice(0, 2)}/${log}`
}

function holds(name: string, node: DiskNode, seq: number, id: Uint8Array): boolean {
  const [, first, count] = name.split('.').map(Number)
  if (seq < first || seq >= first + count || node.kind !== 'file') return false
  const bytes = node.durable
  const entries = parseRun(name, bytes.subarray(0, tableBytesOf(name)), bytes.length)
  const entry = entries?.[seq - first]
  if (entry === undefined || entry.fork || !equalBytes(entry.id, id)) return false
  const { position, headBytes, bodyBytes } = entry
  const bodyAt = position + headBytes
  const body = bodyBytes === undefined ? undefined : bytes.subarray(bodyAt, bodyAt + bodyBytes)
  return entry.isSound({ head: bytes.subarray(position, bodyAt), body })
}

function keyOf({ author, seq, id }: SignedEntry): string {
  return `${toHex(author).slice(0, 8)} ${seq} ${toHex(id).slice(0, 16)}`
}
