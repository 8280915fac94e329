/**
 * The file that a run of entries is kept in (docs/specs/log-store.md, "Runs"): entries of one chain
 * that were made durable together, one behind the other. A table comes first, so that the entries
 * can be found without reading them.
 */
import { toBase32 } from '../base/base32.ts'
import { concat, equalBytes, readU32be, readU64be, u32be, u64be, utf8 } from '../base/bytes.ts'
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

/** An entry in a run. */
export interface RunEntry extends StoredEntry {
  /** The file's name. */
  readonly run: string
  readonly position: number
  readonly headSum: Uint8Array
  readonly bodySum: Uint8Array
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

/** What the table at the start of a file of `fileBytes` tells, or undefined where it is not the one of that name. */
export function parseRun(
  name: string,
  table: Uint8Array,
  fileBytes: number,
): RunEntry[] | undefined {
  if (table.length !== tableBytesOf(name)) return undefined
  const rowsEnd = table.length - hashBytes
  if (!equalBytes(sha256(table.subarray(0, rowsEnd)), table.subarray(rowsEnd))) return undefined
  if (!equalBytes(table.subarray(0, magic.length), magic)) return undefined
  const author = table.slice(at.author, at.rows)
  const firstSeq = readU64be(table, at.firstSeq)
  const count = readU32be(table, at.count)
  if (firstSeq === undefined || !name.startsWith(`${toBase32(author)}.${firstSeq}.${count}.`)) {
    return undefined
  }
  const fork = table[at.fork] === 1
  const entries: RunEntry[] = []
  let position = table.length
  for (let i = 0; i < count; i++) {
    const bytes = table.subarray(at.rows + i * rowBytes, at.rows + (i + 1) * rowBytes)
    const receivedMs = readU64be(bytes, row.receivedMs)
    if (receivedMs === undefined) return undefined
    const headBytes = readU32be(bytes, row.headBytes)
    const bodyField = readU32be(bytes, row.bodyBytes)
    const bodyBytes = bodyField === noBody ? undefined : bodyField
    entries.push({
      ...{ author, seq: firstSeq + i, fork, receivedMs, headBytes, bodyBytes, position, run: name },
      id: bytes.slice(row.id, row.id + entryIdBytes),
      headSum: bytes.slice(row.headSum, row.headSum + sumBytes),
      bodySum: bytes.slice(row.bodySum, row.bodySum + sumBytes),
    })
    position += headBytes + (bodyBytes ?? 0)
  }
  return position === fileBytes ? entries : undefined
}

/** Whether `bytes` are those that were stored; a body that was not read is not looked at. */
export function isSound(entry: RunEntry, { head, body }: EntryBytes): boolean {
  if (!equalBytes(sumOf(head), entry.headSum)) return false
  return body === undefined || equalBytes(sumOf(body), entry.bodySum)
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
