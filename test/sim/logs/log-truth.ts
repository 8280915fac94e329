/** What is true of a simulated log, whoever may show it otherwise: who signed what, and what was committed. */
import { toHex } from '../../../src/base/bytes.ts'
import { type EntryHeader, entryIdOf, type LogEntry, readHeader } from '../../../src/log/entry.ts'
import type { AppendVerdict } from '../../../src/log/log-peer.ts'

/** An entry as the simulation speaks of it. */
export interface SignedEntry {
  logId: Uint8Array
  author: Uint8Array
  seq: number
  id: Uint8Array
  fields: EntryHeader
  /** When it was taken, and whether late; undefined where it was held before. */
  taken?: { receivedMs: number; late: boolean }
}

export function signedEntryOf(
  logId: Uint8Array,
  header: Uint8Array,
  verdict: Extract<AppendVerdict, { receipt: unknown }>,
): SignedEntry {
  const { fields, id } = readHeader({ header, signature: new Uint8Array(64) })
  const { author, seq } = fields
  const { receivedMs, late } = verdict.receipt
  const taken = verdict.outcome === 'stored' ? { taken: { receivedMs, late } } : {}
  return { logId, author, seq, id, fields, ...taken }
}

export interface Committed {
  author: string
  seq: number
  id: string
  atMs: number
}

/** A revocation that is committed. */
export interface Ended {
  author: string
  lastGoodSeq: number
  atMs: number
}

export class LogTruth {
  /** Ids of signed entries by author and seq; what was never sent may be among them. */
  readonly #signed = new Map<string, Map<number, Set<string>>>()
  readonly committed: Committed[] = []
  readonly revoked: Ended[] = []
  /** Authors, in hex, whose revocation has been tried. */
  readonly revoking: Set<string> = new Set<string>()
  /** Entries a day by certificates, the most ever tried; by author. */
  readonly limits: Map<string, number> = new Map<string, number>()
  /** As `limits`, the fewest. */
  readonly lowest: Map<string, number> = new Map<string, number>()
  /** Authors whose certificate is committed. */
  readonly granted: Set<string> = new Set<string>()
  /** Ids of entries that no honest server may take and no reader trust. */
  readonly forged: Set<string> = new Set<string>()
  /** Indexes of servers of the configs that may be in force: the settled one first. */
  configs: number[][]
  /** All that there ever were. */
  readonly allConfigs: number[][] = []

  constructor(members: readonly number[]) {
    this.configs = [[...members]]
    this.allConfigs.push([...members])
  }

  /** Somebody is about to send what he has signed. */
  sign({ header }: Pick<LogEntry, 'header'>): void {
    const { fields } = readHeader({ header, signature: new Uint8Array(64) })
    const author = toHex(fields.author)
    const chain = this.#signed.get(author) ?? new Map<number, Set<string>>()
    this.#signed.set(author, chain)
    const ids = chain.get(fields.seq) ?? new Set<string>()
    chain.set(fields.seq, ids.add(toHex(entryIdOf(header))))
  }

  isSigned(author: Uint8Array, seq: number, id: Uint8Array): boolean {
    const ids = this.#signed.get(toHex(author))?.get(seq)
    if (ids === undefined) return false
    const hex = toHex(id)
    return id.length === 32 ? ids.has(hex) : [...ids].some((each) => each.startsWith(hex))
  }

  /** Entries of an author that were signed. */
  countOf(author: string): number {
    return this.#signed.get(author)?.size ?? 0
  }

  /** Notes a committed entry; returns what contradicts it. */
  commit(entry: Committed): string | undefined {
    const other = this.committed.find(
      ({ author, seq, id }) => author === entry.author && seq === entry.seq && id !== entry.id,
    )
    this.committed.push(entry)
    return other && `entry ${entry.seq} of one author is committed in two versions`
  }
}
