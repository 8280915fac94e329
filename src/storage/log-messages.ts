/**
 * `appendEntries` and `readLog` on the wire (docs/specs/storage-protocol.md, "Logs"): what travels
 * in bodies, and in the facts of answers. As in storage-protocol.ts, what parses requests throws
 * E_BAD_REQUEST, what parses answers E_PROTOCOL; lengths are looked at before anything is made.
 */
import type { CborValue } from '../base/cbor.ts'
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes } from '../base/hash.ts'
import { plainText } from '../base/plain-text.ts'
import { maxHeaderBytes } from '../log/entry.ts'
import { maxGenesisBytes } from '../log/genesis.ts'
import {
  type AppendReply,
  type AppendRequest,
  type AppendVerdict,
  type KeptEntry,
  maxAppendBytes,
  maxAppendEntries,
  maxChains,
  type ReadLogReply,
  type ReadLogRequest,
  type ReadRange,
} from '../log/log-peer.ts'
import { codeOf, statusOf, statusOk } from '../wire/status.ts'
import { ByteReader, ByteWriter } from './byte-fields.ts'
import {
  readEntry,
  readOptional,
  readReceipt,
  readSigned,
  receiptBytesOf,
  times,
  writeEntry,
  writeOptional,
  writeSigned,
} from './entry-fields.ts'
import { maxForksInAll } from './log-limits.ts'

const rangeBytes = publicKeyBytes + 8 + 8
const bodyWishes = ['none', 'rules', 'all'] as const satisfies readonly ReadLogRequest['bodies'][]
const outcomes = ['stored', 'had', 'conflict', 'gap', 'refused'] as const
/** Longest reason of a refusal, in characters. */
const maxReasonChars = 200
/** Bytes that an answer to `readLog` may have besides its entries. */
const readOverheadBytes =
  4 +
  maxGenesisBytes +
  2 +
  maxChains * (publicKeyBytes + 8 + hashBytes) +
  2 +
  maxForksInAll * 2 * (2 + signatureBytes + maxHeaderBytes) +
  4

/** Longest body of an `appendEntries`. */
export const maxAppendBodyBytes: number = 4 + maxGenesisBytes + 2 + maxAppendBytes

/** Longest answer to a `readLog` of `maxBytes`. */
export function readAnswerBytes(maxBytes: number): number {
  return maxBytes + readOverheadBytes
}

/** The body of `appendEntries`; its arguments are the log id alone. */
export function formatAppend({ genesis, entries }: AppendRequest): Uint8Array {
  const out = new ByteWriter()
  writeOptional(out, genesis)
  out.u16(entries.length)
  for (const entry of entries) writeEntry(out, entry, entry.receipts)
  return out.bytes()
}

export function parseAppend(logId: Uint8Array, body: Uint8Array): AppendRequest {
  return reading(badRequest, body, (input) => {
    const genesis = readOptional(input)
    const count = input.u16()
    if (count > maxAppendEntries) throw badRequest()
    return { logId, genesis, entries: times(count, () => readEntry(input)) }
  })
}

/** The facts that answer `appendEntries`. */
export function formatAppended({ adminSeq, verdicts }: AppendReply): CborValue {
  return [adminSeq, verdicts.map(formatVerdict)]
}

/** With verdicts on the first of `entryCount` entries, on one at least if there are any. */
export function parseAppended(facts: CborValue, entryCount: number): AppendReply {
  if (!Array.isArray(facts) || facts.length !== 2) throw malformed('appendEntries')
  const [adminSeq, rows] = facts as CborValue[]
  if (typeof adminSeq !== 'number' || adminSeq < 0 || !Array.isArray(rows)) {
    throw malformed('appendEntries')
  }
  return { adminSeq, verdicts: parseVerdicts(rows as CborValue[], entryCount) }
}

function parseVerdicts(rows: readonly CborValue[], entryCount: number): AppendVerdict[] {
  if (rows.length > entryCount || rows.length < Math.min(1, entryCount)) {
    throw malformed('appendEntries')
  }
  const verdicts = rows.map(parseVerdict)
  const last = verdicts.length - 1
  const goesOn = ({ outcome }: AppendVerdict): boolean => outcome === 'stored' || outcome === 'had'
  if (!verdicts.every((verdict, i) => i === last || goesOn(verdict)))
    throw malformed('appendEntries')
  return verdicts
}

export function formatReadLog(request: ReadLogRequest): CborValue {
  const { logId, genesis, ranges, others, bodies, receipts, maxBytes } = request
  const out = new ByteWriter()
  for (const { author, firstSeq, lastSeq } of ranges) {
    out.raw(author)
    out.u64(firstSeq)
    out.u64(lastSeq)
  }
  const flags = [genesis ? 1 : 0, others ? 1 : 0, bodyWishes.indexOf(bodies), receipts ? 1 : 0]
  return [logId, out.bytes(), ...flags, maxBytes]
}

/** Checks shape only; bounds are `checkReadRequest`'s. */
export function parseReadLog(args: CborValue): ReadLogRequest {
  if (!Array.isArray(args) || args.length !== 7) throw badRequest()
  const [logId, packed, genesis, others, bodies, receipts, maxBytes] = args as CborValue[]
  const isWhole = packed instanceof Uint8Array && packed.length % rangeBytes === 0
  if (!(logId instanceof Uint8Array) || !isWhole || typeof maxBytes !== 'number') {
    throw badRequest()
  }
  const ranges = reading(badRequest, packed, (input) =>
    times(packed.length / rangeBytes, (): ReadRange => {
      return { author: input.raw(publicKeyBytes), firstSeq: input.u64(), lastSeq: input.u64() }
    }),
  )
  const wish = typeof bodies === 'number' ? bodyWishes[bodies] : undefined
  if (wish === undefined) throw badRequest()
  const [wantsGenesis, wantsOthers, wantsReceipts] = [genesis, others, receipts].map((flag) => {
    if (flag !== 0 && flag !== 1) throw badRequest()
    return flag === 1
  })
  return {
    ...{ logId, genesis: wantsGenesis, ranges, others: wantsOthers, bodies: wish },
    ...{ receipts: wantsReceipts, maxBytes },
  }
}

/** The body that answers `readLog`; its facts are 1 if the answer is complete, else 0. */
export function formatLog({ genesis, heads, entries, forks }: ReadLogReply): Uint8Array {
  const out = new ByteWriter()
  writeOptional(out, genesis)
  out.u16(heads.length)
  for (const { author, seq, id } of heads) {
    out.raw(author)
    out.u64(seq)
    out.raw(id)
  }
  out.u16(forks.length)
  for (const { held, other } of forks) {
    writeSigned(out, held)
    writeSigned(out, other)
  }
  out.u32(entries.length)
  for (const entry of entries) writeEntry(out, entry, entry.receipt ? [entry.receipt] : [])
  return out.bytes()
}

export function parseLog(facts: CborValue, body: Uint8Array): ReadLogReply {
  if (facts !== 0 && facts !== 1) throw malformed('readLog')
  return reading(
    () => malformed('readLog'),
    body,
    (input) => {
      const genesis = readOptional(input)
      const heads = times(input.u16(), () => {
        return { author: input.raw(publicKeyBytes), seq: input.u64(), id: input.raw(hashBytes) }
      })
      const forks = times(input.u16(), () => ({
        held: readSigned(input),
        other: readSigned(input),
      }))
      const entries = times(input.u32(), (): KeptEntry => {
        const { receipts, ...entry } = readEntry(input)
        if (receipts.length > 1) throw malformed('readLog')
        return { ...entry, receipt: receipts[0] }
      })
      if (heads.length > maxChains || forks.length > maxForksInAll) throw malformed('readLog')
      if (heads.some(({ seq }) => seq < 1)) throw malformed('readLog')
      return { genesis, heads, forks, entries, complete: facts === 1 }
    },
  )
}

function formatVerdict(verdict: AppendVerdict): CborValue {
  const kind = outcomes.indexOf(verdict.outcome)
  switch (verdict.outcome) {
    case 'stored':
    case 'had':
      return [kind, receiptBytesOf(verdict.receipt)]
    case 'conflict':
      return [kind, verdict.held.header, verdict.held.signature]
    case 'gap':
      return [kind, verdict.headSeq]
    case 'refused':
      return [kind, statusOf(verdict.code) ?? statusOf('E_INTERNAL')!, plainText(verdict.reason)]
  }
}

function parseVerdict(value: CborValue): AppendVerdict {
  const [kind, a, b] = Array.isArray(value) ? (value as CborValue[]) : []
  const outcome = typeof kind === 'number' ? outcomes[kind] : undefined
  if ((outcome === 'stored' || outcome === 'had') && a instanceof Uint8Array) {
    const fail = (): GridError => malformed('appendEntries')
    return { outcome, receipt: reading(fail, a, readReceipt) }
  }
  if (outcome === 'conflict' && a instanceof Uint8Array && b instanceof Uint8Array) {
    return { outcome, held: { header: a, signature: b } }
  }
  if (outcome === 'gap' && typeof a === 'number' && a >= 0) return { outcome, headSeq: a }
  if (outcome === 'refused' && typeof a === 'number' && a !== statusOk && typeof b === 'string') {
    return { outcome, code: codeOf(a), reason: plainText(b).slice(0, maxReasonChars) }
  }
  throw malformed('appendEntries')
}

/** What `read` makes of all of `bytes`; throws `fail`'s error where they end too early or too late. */
function reading<T>(fail: () => GridError, bytes: Uint8Array, read: (input: ByteReader) => T): T {
  const input = new ByteReader(bytes, fail)
  const value = read(input)
  input.end()
  return value
}

function badRequest(): GridError {
  return new GridError('E_BAD_REQUEST', 'arguments that are not of the form the verb takes')
}

function malformed(verb: string): GridError {
  return new GridError('E_PROTOCOL', `the answer to ${verb} is malformed`)
}
