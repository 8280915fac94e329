/** When an author may not write on, by what was read, by its journal, and by what servers answer (docs/specs/log.md, "Appending"). */
import { compareBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { type Evidence, forkProofOf, type Witness } from './conclusion.ts'
import { type LogEntry, type ReadHeader, readHeader } from './entry.ts'
import type { LogRules } from './log-rules.ts'
import type { LogView } from './log-view.ts'
import type { AppendReport } from './quorum-append.ts'
import type { VerifiedChain } from './verified-chain.ts'

/** Throws unless the head of `author` is known for sure, but for the entry of his journal. */
export function checkHead(
  { conclusion, rules }: LogView,
  author: Uint8Array,
  pending: LogEntry | undefined,
): void {
  const { answered, quorum, evidence } = conclusion
  const journaled = pending && readHeader(pending)
  if (rules.revocationOf(author) !== undefined) {
    throw new GridError('E_REVOKED', 'this key has been revoked', {
      hint: 'ask whoever holds the LOG-Admin cap for another: grid log grant',
    })
  }
  for (const piece of evidence) {
    if (compareBytes(piece.author, author) !== 0 || isHearsay(piece, rules)) continue
    if (piece.kind === 'fork' || piece.finding === 'other') throw forked(piece)
    // seen at one server before a quorum had it: it is about to be offered again
    if (journaled !== undefined && isAbout(piece, journaled)) continue
    throw hidden({ evidence: piece })
  }
  if (answered >= quorum) return
  throw new GridError(
    'E_NOT_ENOUGH_SERVERS',
    `${answered} log servers answer, and ${quorum} are needed to know where to go on`,
    { facts: { answered, quorum } },
  )
}

function isAbout(piece: Witness, { fields, id }: ReadHeader): boolean {
  return piece.seq === fields.seq && compareBytes(piece.id, id.subarray(0, piece.id.length)) === 0
}

/** The bare word of another device: one that lies would keep all others, and the admin, from writing. */
function isHearsay(piece: Evidence, rules: LogRules): boolean {
  return piece.kind === 'ack' && (piece.by === undefined || !rules.isAdmin(piece.by))
}

/**
 * Whether it is the next entry or the newest, which may not be at a quorum yet; false if entries
 * follow it. Throws E_FORKED where the chain goes on from another, E_TRUNCATED where it ends before.
 */
export function isUnsettled(pending: LogEntry, { chain, entries }: VerifiedChain): boolean {
  const entry = readHeader(pending)
  const { seq } = entry.fields
  switch (chain.placeOf(entry.fields, entry.id)) {
    case 'next':
      return true
    case 'had':
      return seq === chain.seq
    case 'gap':
      throw hidden({ seq, shown: chain.seq })
    default:
      throw forked(forkProofOf(pending, entries[seq - 1] ?? pending))
  }
}

/** A refusal that no later try will mend is thrown; the others stand in the report. */
export function throwRefusal(report: AppendReport): void {
  for (const answer of report.servers) {
    if (answer.outcome === 'forked') throw forked(answer.proof)
  }
  const lasting = ['E_REVOKED', 'E_CERTIFICATE', 'E_RATE'] as const
  for (const code of lasting) {
    const refusals = report.servers.flatMap((answer) =>
      answer.outcome === 'failed' && answer.code === code ? answer.reason : [],
    )
    if (2 * refusals.length > report.servers.length) {
      throw new GridError(code, `most log servers refuse the entry: ${refusals[0]}`)
    }
  }
}

function hidden(facts: Record<string, unknown>): GridError {
  return new GridError('E_TRUNCATED', 'the log servers hide the end of this chain', { facts })
}

function forked(proof: unknown): GridError {
  return new GridError('E_FORKED', 'this chain has been written by another holder of its key', {
    hint: 'if a machine was cloned or restored, ask the admin for a certificate for a new key',
    facts: { proof },
  })
}
