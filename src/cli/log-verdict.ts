/** What may be concluded of a log, in words and as an exit code. */
import type { Conclusion, Evidence } from '../log/conclusion.ts'
import type { LogView } from '../log/log-view.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { deviceName, shortId } from './log-cap.ts'
import type { Facts } from './output.ts'

/** One sentence. */
export function conclusionText({ state, answered, quorum }: Conclusion): string {
  const counted = `${answered} log servers answered, and ${quorum} are needed`
  switch (state) {
    case 'FRESH':
      return `FRESH: every entry that was committed is shown (${counted})`
    case 'STALE-POSSIBLE':
      return `STALE-POSSIBLE: there may be newer entries (${counted})`
    case 'TRUNCATED':
      return `TRUNCATED: entries exist that no server shows (${counted})`
    case 'FORKED':
      return `FORKED: a chain was written twice, by two holders of one key (${counted})`
  }
}

export function exitOf({ state }: Conclusion): ExitCode {
  if (state === 'FRESH') return exitCodes.ok
  return state === 'STALE-POSSIBLE' ? exitCodes.partlyDone : exitCodes.integrity
}

/** Who says what against the log, one line. */
export function evidenceText(view: LogView, evidence: Evidence): string {
  const { author, seq } = evidence
  const device = nameOf(view, author)
  if (evidence.kind === 'fork')
    return `${device} has signed two entries ${seq}: another holder of its key, or a clone`
  const by = evidence.by === undefined ? '' : ` of ${nameOf(view, evidence.by)}`
  const witness = `${witnesses[evidence.kind]}${by}`
  return evidence.finding === 'missing'
    ? `${device} has an entry ${seq} by ${witness}, which no server shows`
    : `${device} has another entry ${seq} by ${witness} than servers show`
}

export function evidenceFacts(view: LogView, evidence: Evidence): Facts {
  const { kind, author, seq } = evidence
  const facts = { evidence: kind, device: nameOf(view, author), seq }
  return evidence.kind === 'fork' ? facts : { ...facts, finding: evidence.finding }
}

export function nameOf({ rules }: LogView, author: Uint8Array): string {
  if (rules.isAdmin(author)) return 'admin'
  const certificate = rules.certificateOf(author)
  return certificate === undefined ? shortId(author) : deviceName(certificate.label, author)
}

const witnesses = {
  pin: 'what was read here before',
  ack: 'the word',
  checkpoint: 'a checkpoint of the admin',
  receipt: 'a receipt',
  told: 'what you say',
} as const
