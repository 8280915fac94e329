/** Answers `readLog` from what a store shows (docs/specs/log-store.md, "Read"). */
import { compareBytes, equalBytes, toHex } from '../base/bytes.ts'
import { type GridError, isGridError } from '../base/errors.ts'
import { mapWithin } from '../base/limit.ts'
import { readHeader, type SignedHeader } from '../log/entry.ts'
import {
  type ChainHead,
  type ForkEvidence,
  type KeptEntry,
  maxForkEvidence,
  type ReadLogReply,
  type ReadLogRequest,
} from '../log/log-peer.ts'
import { ruleKinds } from '../log/log-rules.ts'
import { parseEntryHead } from './entry-head.ts'
import type { KeptLog } from './kept-log.ts'
import { maxForksInAll } from './log-limits.ts'
import type { StoredEntry, StoredLog } from './log-store.ts'

/** What an entry counts besides header and body: as `entryWireBytes` has it. */
const entryOverheadBytes = 256
/** Entries that are read together. */
const readConcurrency = 8

/** Heads and entries of one moment: the index is looked at once, and only grows after that. */
export async function readKept(log: KeptLog, request: ReadLogRequest): Promise<ReadLogReply> {
  const { stored, genesis } = log
  const { adminKey } = genesis
  const authors = stored.authors().sort((a, b) => compareAuthors(adminKey, a, b))
  const chains = authors.map((author) => ({ author, entries: stored.chain(author).slice() }))
  const heads = chains.flatMap(({ author, entries }) => headOf(author, entries) ?? [])
  const ranges = new Map(request.ranges.map((range) => [toHex(range.author), range]))
  const wanted = chains.flatMap(({ author, entries }) => {
    const range = ranges.get(toHex(author))
    if (range === undefined) return request.others ? entries : []
    return entries.slice(range.firstSeq - 1, Math.max(0, range.lastSeq))
  })
  const forks = await forksOf(stored, authors)
  const fits = countFitting(wanted, request)
  const entries = await readEntries(wanted.slice(0, fits), stored, adminKey, request)
  const complete = entries.length === wanted.length
  return {
    genesis: request.genesis ? stored.genesis.slice() : undefined,
    ...{ heads, entries, forks, complete },
  }
}

/** The admin's first, then by author ascending. */
function compareAuthors(adminKey: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  const byRank = Number(equalBytes(b, adminKey)) - Number(equalBytes(a, adminKey))
  return byRank === 0 ? compareBytes(a, b) : byRank
}

function headOf(author: Uint8Array, entries: readonly StoredEntry[]): ChainHead | undefined {
  const last = entries.at(-1)
  return last && { author: author.slice(), seq: last.seq, id: last.id.slice() }
}

/** How many of `entries` stay within `maxBytes`, by their lengths: at least one. */
function countFitting(
  entries: readonly StoredEntry[],
  { bodies, maxBytes }: ReadLogRequest,
): number {
  let left = maxBytes
  const count = entries.findIndex(({ headBytes, bodyBytes = 0 }, i) => {
    left -= entryOverheadBytes + headBytes + (bodies === 'none' ? 0 : bodyBytes)
    return left < 0 && i > 0
  })
  return count < 0 ? entries.length : count
}

/** The entries up to the first that is damaged; throws E_IO where that is the first of all. */
async function readEntries(
  wanted: readonly StoredEntry[],
  stored: StoredLog,
  adminKey: Uint8Array,
  request: ReadLogRequest,
): Promise<KeptEntry[]> {
  const read = await mapWithin(readConcurrency, wanted, async (entry) => {
    try {
      return await readEntry(entry, stored, equalBytes(entry.author, adminKey), request)
    } catch (error) {
      if (isGridError(error, 'E_IO')) return error
      throw error
    }
  })
  const isFailure = (each: KeptEntry | GridError): each is GridError => each instanceof Error
  const failedAt = read.findIndex(isFailure)
  if (failedAt === 0) throw read[0] as GridError
  return (failedAt < 0 ? read : read.slice(0, failedAt)) as KeptEntry[]
}

/** Only the admin's chain has bodies of rules, and which these are stands in the headers. */
async function readEntry(
  entry: StoredEntry,
  stored: StoredLog,
  isAdmin: boolean,
  { bodies, receipts }: ReadLogRequest,
): Promise<KeptEntry> {
  let bytes = await stored.read(entry, bodies === 'all')
  const { header, signature, receipt } = parseEntryHead(bytes.head)
  if (bodies === 'rules' && isAdmin) {
    const { kind } = readHeader({ header, signature }).fields
    if (ruleKinds.has(kind)) bytes = await stored.read(entry, true)
  }
  return { header, signature, body: bytes.body, receipt: receipts ? receipt : undefined }
}

async function forksOf(stored: StoredLog, authors: readonly Uint8Array[]): Promise<ForkEvidence[]> {
  const pairs = authors.flatMap((author) =>
    stored
      .forks(author)
      .slice(0, maxForkEvidence)
      .flatMap((other) => {
        const held = stored.chain(author)[other.seq - 1] as StoredEntry | undefined
        return held === undefined ? [] : [{ held, other }]
      }),
  )
  const read = await mapWithin(readConcurrency, pairs.slice(0, maxForksInAll), async (pair) => {
    const [held, other] = [await signedOf(stored, pair.held), await signedOf(stored, pair.other)]
    return held === undefined || other === undefined ? [] : [{ held, other }]
  })
  return read.flat()
}

/** Undefined where it is damaged: evidence is given while there is some, and never stands in the way. */
async function signedOf(stored: StoredLog, entry: StoredEntry): Promise<SignedHeader | undefined> {
  try {
    const { header, signature } = parseEntryHead((await stored.read(entry, false)).head)
    return { header, signature }
  } catch (error) {
    if (isGridError(error, 'E_IO')) return undefined
    throw error
  }
}
