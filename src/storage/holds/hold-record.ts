/**
 * What a journal of holds records, and the bytes of it (docs/specs/holds.md, "Journal"). Records say
 * what became so, not what was asked: carrying one out twice, or out of order, does no harm.
 */
import { concat, equalBytes, readU32be, readU64be, u32be, u64be, utf8 } from '../../base/bytes.ts'
import { hashBytes, taggedHash } from '../../base/hash.ts'
import { tags } from '../../caps/keys.ts'
import { storageIndexBytes } from '../../encoding/descriptor.ts'
import { maxReleasedIndexes } from '../../log/release.ts'
import type { StorageIndex } from '../request.ts'
import { type Holder, holderBytes, holderFromBytes, holderToBytes, nobody } from './held-object.ts'

/** A hold as it is after a touch, a put or a renewal. */
export interface RecordedHold {
  storageIndex: StorageIndex
  chargedBytes: number
  touchedMs: number
  expiresMs: number
}

export type HoldRecord =
  /** `holder` holds these. */
  | {
      kind: 'held'
      atMs: number
      holder: Holder
      /** Whose quota they count against. */
      payer: Holder | undefined
      holds: readonly RecordedHold[]
    }
  /** A release was carried out; a cutoff of 0 took releases back. */
  | {
      kind: 'released'
      atMs: number
      account: Holder
      /** Key of its author, 32 bytes. */
      author: Uint8Array
      releaseSeq: number
      cutoffMs: number
      storageIndexes: readonly StorageIndex[]
    }
  /** No share of these was here any more. */
  | { kind: 'gone'; atMs: number; storageIndexes: readonly StorageIndex[] }
  /** The process ended in order: the index has all that stands before this. */
  | { kind: 'closed'; atMs: number }

type Held = Extract<HoldRecord, { kind: 'held' }>

const kinds = { held: 1, released: 2, gone: 3, closed: 4 } as const
const lengthBytes = 4
const checksumBytes = 8
const headBytes: number = lengthBytes + checksumBytes
const timeBytes = 8
const holdBytes: number = storageIndexBytes + 3 * timeBytes
/** Objects in one record at most; more take several. */
export const maxRecordObjects: number = maxReleasedIndexes
/** No record is longer. */
export const maxRecordBytes: number =
  headBytes + 1 + 3 * timeBytes + 2 * holderBytes + maxRecordObjects * holdBytes
/** Bytes of a `closed` record. */
export const closedBytes: number = headBytes + 1 + timeBytes

/** The record as it stands in the segment of that name, from `offset` on. */
export function formatRecord(record: HoldRecord, segment: string, offset: number): Uint8Array {
  const body = formatBody(record)
  return concat(u32be(body.length), checksumOf(body, segment, offset), body)
}

/**
 * The record that `bytes` begin with, which stand in the segment of that name from `offset` on, and its
 * length; undefined where no whole and sound one stands.
 */
export function readRecord(
  bytes: Uint8Array,
  segment: string,
  offset: number,
): { record: HoldRecord; recordBytes: number } | undefined {
  if (bytes.length < headBytes) return undefined
  const end = headBytes + readU32be(bytes, 0)
  if (end > maxRecordBytes || end > bytes.length) return undefined
  const body = bytes.subarray(headBytes, end)
  const checksum = bytes.subarray(lengthBytes, headBytes)
  if (!equalBytes(checksum, checksumOf(body, segment, offset))) return undefined
  const record = parseBody(body)
  return record && { record, recordBytes: end }
}

/** Bound to its place, so that what a disk puts elsewhere is no record there. */
function checksumOf(body: Uint8Array, segment: string, offset: number): Uint8Array {
  const name = utf8(segment)
  const place = [Uint8Array.of(name.length), name, u64be(offset)]
  return taggedHash(tags.holdRecord, ...place, body).subarray(0, checksumBytes)
}

function formatBody(record: HoldRecord): Uint8Array {
  const head = [Uint8Array.of(kinds[record.kind]), u64be(record.atMs)]
  switch (record.kind) {
    case 'held':
      return concat(...head, ...heldBy(record), ...record.holds.map(formatHold))
    case 'released': {
      const { account, author, releaseSeq, cutoffMs, storageIndexes } = record
      const by = [holderToBytes(account), author, u64be(releaseSeq), u64be(cutoffMs)]
      return concat(...head, ...by, ...storageIndexes)
    }
    case 'gone':
      return concat(...head, ...record.storageIndexes)
    case 'closed':
      return concat(...head)
  }
}

function heldBy({ holder, payer = nobody }: Held): Uint8Array[] {
  return [holderToBytes(holder), holderToBytes(payer)]
}

function formatHold({
  storageIndex,
  chargedBytes,
  touchedMs,
  expiresMs,
}: RecordedHold): Uint8Array {
  return concat(storageIndex, u64be(chargedBytes), u64be(touchedMs), u64be(expiresMs))
}

function parseBody(body: Uint8Array): HoldRecord | undefined {
  const fields = new Fields(body)
  const kind = fields.bytes(1)[0]
  const atMs = fields.number()
  switch (kind) {
    case kinds.held: {
      const holder = holderFromBytes(fields.bytes(holderBytes))
      const payer = holderFromBytes(fields.bytes(holderBytes))
      const holds = fields.rows(holdBytes, parseHold)
      if (holder === undefined || payer === undefined || !fields.isSound) return undefined
      return { kind: 'held', atMs, holder, payer: payer === nobody ? undefined : payer, holds }
    }
    case kinds.released: {
      const account = holderFromBytes(fields.bytes(holderBytes))
      const author = fields.bytes(hashBytes).slice()
      const [releaseSeq, cutoffMs] = [fields.number(), fields.number()]
      const storageIndexes = fields.rows(storageIndexBytes, (row) => row.slice())
      if (account === undefined || !fields.isSound) return undefined
      return { kind: 'released', atMs, account, author, releaseSeq, cutoffMs, storageIndexes }
    }
    case kinds.gone: {
      const storageIndexes = fields.rows(storageIndexBytes, (row) => row.slice())
      return fields.isSound ? { kind: 'gone', atMs, storageIndexes } : undefined
    }
    case kinds.closed:
      return fields.isSound && fields.isAtEnd ? { kind: 'closed', atMs } : undefined
    default:
      return undefined
  }
}

function parseHold(row: Uint8Array): RecordedHold {
  const fields = new Fields(row)
  return {
    storageIndex: fields.bytes(storageIndexBytes).slice(),
    chargedBytes: fields.number(),
    touchedMs: fields.number(),
    expiresMs: fields.number(),
  }
}

/** Takes fields off the front of bytes whose checksum holds. */
class Fields {
  readonly #bytes: Uint8Array
  #at = 0
  /** False once a field was missing. */
  isSound = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  bytes(length: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#at, (this.#at += length))
    if (taken.length === length) return taken
    this.isSound = false
    return new Uint8Array(length)
  }

  number(): number {
    return readU64be(this.bytes(timeBytes), 0) ?? Number.MAX_SAFE_INTEGER
  }

  /** All that is left, in rows of `length`. */
  rows<T>(length: number, parse: (row: Uint8Array) => T): T[] {
    const rows: T[] = []
    while (this.isSound && !this.isAtEnd) rows.push(parse(this.bytes(length)))
    return rows
  }
}
