/**
 * The file that a run of entries is kept in (docs/specs/log-store.md, "Runs"): entries of one chain
 * that were made durable together, one behind the other. A table comes first, so that the entries
 * can be found without reading them.
 */
import { toBase32 } from '../base/base32.ts'
import { concat, equalBytes, readU32be, readU64be, u32be, u64be, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes, sha256 } from '../base/hash.ts'
import {
  authorBytes,
  entryIdBytes,
  type EntryBytes,
  type EntryRecord,
  maxPartBytes,
  maxRunEntries,
  type StoredEntry,
} from './log-store.ts'

const magic = utf8('GRL1')
/** "9": what the last character of the magic may become. */
const lastDigit = 0x39
const sumBytes = 16
/** Stands for the length of a body that is not held. */
const noBody = 0xffffffff
const empty = new Uint8Array(0)
/** Where the fixed fields lie, and where the rows begin. */
const at = { fork: 4, count: 8, firstSeq: 12, author: 20, rows: 20 + authorBytes }
/** Where the fields of a row lie in it. */
const row = { id: 0, receivedMs: 32, headBytes: 40, bodyBytes: 44, headSum: 48, bodySum: 64 }
const rowBytes = 80

const pattern = /^([a-z2-7]{52})\.([1-9][0-9]{0,15})\.([1-9][0-9]{0,2})\.[a-z2-7]{26}$/

/** A file as it was found: its name, and its table. */
interface Run {
  readonly name: string
  readonly table: Uint8Array
}

/** An entry in a run: what it tells is read from the table, so that many of them take little memory. */
export class RunEntry implements StoredEntry {
  readonly seq: number
  /** Where its head begins in the file. */
  readonly position: number
  readonly #run: Run
  readonly #rowAt: number

  constructor(run: Run, seq: number, rowAt: number, position: number) {
    this.#run = run
    this.seq = seq
    this.#rowAt = rowAt
    this.position = position
  }

  /** The file's name. */
  get run(): string {
    return this.#run.name
  }

  get author(): Uint8Array {
    return this.#run.table.subarray(at.author, at.rows)
  }

  get fork(): boolean {
    return this.#run.table[at.fork] === 1
  }

  get id(): Uint8Array {
    return this.#bytes(row.id, entryIdBytes)
  }

  get receivedMs(): number {
    return readU64be(this.#run.table, this.#rowAt + row.receivedMs) ?? 0
  }

  get headBytes(): number {
    return readU32be(this.#run.table, this.#rowAt + row.headBytes)
  }

  get bodyBytes(): number | undefined {
    const length = readU32be(this.#run.table, this.#rowAt + row.bodyBytes)
    return length === noBody ? undefined : length
  }

  /** Whether these are the bytes that were stored; a body that was not read is not looked at. */
  isSound({ head, body }: EntryBytes): boolean {
    if (!equalBytes(sumOf(head), this.#bytes(row.headSum, sumBytes))) return false
    return body === undefined || equalBytes(sumOf(body), this.#bytes(row.bodySum, sumBytes))
  }

  #bytes(field: number, length: number): Uint8Array {
    return this.#run.table.subarray(this.#rowAt + field, this.#rowAt + field + length)
  }
}

/** What a run is called: author, first number, count, and the start of the hash of its table. */
export function runName(records: readonly EntryRecord[]): string {
  const [{ author, seq }] = records
  const digest = sha256(formatTable(records)).subarray(0, sumBytes)
  return `${toBase32(author)}.${seq}.${records.length}.${toBase32(digest)}`
}

/** How long the table of the run of this name is; undefined for a name that is none. */
export function tableBytesOf(name: string): number | undefined {
  const count = Number(pattern.exec(name)?.[3])
  return count <= maxRunEntries ? tableBytes(count) : undefined
}

/** The file: `records` are of one chain, one or more in a row, or forks of one number each. */
export function formatRun(records: readonly EntryRecord[]): Uint8Array[] {
  return [formatTable(records), ...records.flatMap(({ head, body = empty }) => [head, body])]
}

/**
 * What the table (kept) at the start of a file of `fileBytes` tells, or undefined where it is not
 * the one of that name. Throws E_VERSION for the table of a later version.
 */
export function parseRun(
  name: string,
  table: Uint8Array,
  fileBytes: number,
): RunEntry[] | undefined {
  if (table.length !== tableBytesOf(name)) return undefined
  const rowsEnd = table.length - hashBytes
  if (isOfLaterVersion(table)) {
    throw new GridError('E_VERSION', 'entries of this log are stored in a newer format', {
      hint: 'upgrade Grid; nothing was changed',
    })
  }
  if (!equalBytes(sha256(table.subarray(0, rowsEnd)), table.subarray(rowsEnd))) return undefined
  if (!equalBytes(table.subarray(0, magic.length), magic)) return undefined
  const author = toBase32(table.subarray(at.author, at.rows))
  const firstSeq = readU64be(table, at.firstSeq)
  const count = readU32be(table, at.count)
  if (firstSeq === undefined || !name.startsWith(`${author}.${firstSeq}.${count}.`)) {
    return undefined
  }
  const run = { name, table }
  const entries: RunEntry[] = []
  let position = table.length
  for (let i = 0; i < count; i++) {
    const entry = new RunEntry(run, firstSeq + i, at.rows + i * rowBytes, position)
    entries.push(entry)
    position += entry.headBytes + (entry.bodyBytes ?? 0)
  }
  return position === fileBytes ? entries : undefined
}

/** Whether it says so, and is not one of ours whose magic has changed. */
function isOfLaterVersion(table: Uint8Array): boolean {
  const last = magic.length - 1
  if (!equalBytes(table.subarray(0, last), magic.subarray(0, last))) return false
  if (table[last] <= magic[last] || table[last] > lastDigit) return false
  const ours = concat(magic, table.subarray(magic.length))
  const rowsEnd = ours.length - hashBytes
  return !equalBytes(sha256(ours.subarray(0, rowsEnd)), ours.subarray(rowsEnd))
}

/** Throws a RangeError for what the format cannot hold: a mistake of ours, never a client's. */
function formatTable(records: readonly EntryRecord[]): Uint8Array {
  const [{ author, seq, fork }] = records
  const fits = records.length <= maxRunEntries && author.length === authorBytes
  const inOrder = records.every((record, i) => record.seq === seq + i && record.fork === fork)
  if (!fits || !inOrder) throw new RangeError('log run: not entries in a row')
  const start = [magic, Uint8Array.of(fork ? 1 : 0, 0, 0, 0), u32be(records.length), u64be(seq)]
  const body = concat(...start, author, ...records.map(formatRow))
  return concat(body, sha256(body))
}

function formatRow({ id, receivedMs, head, body }: EntryRecord): Uint8Array {
  const bodyBytes = body?.length ?? noBody
  if (
    id.length !== entryIdBytes ||
    head.length > maxPartBytes ||
    (body?.length ?? 0) > maxPartBytes
  ) {
    throw new RangeError('log run: an entry of the wrong size')
  }
  const lengths = [u32be(head.length), u32be(bodyBytes)]
  return concat(id, u64be(receivedMs), ...lengths, sumOf(head), sumOf(body ?? empty))
}

function tableBytes(count: number): number {
  return at.rows + count * rowBytes + hashBytes
}

function sumOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).subarray(0, sumBytes)
}
