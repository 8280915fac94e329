/** Gathers what speaks for and against the chains that servers showed (docs/specs/log.md, "Conclusion"). */
import { toHex } from '../base/bytes.ts'
import { peerIdOf } from '../base/peer-id.ts'
import type { Branches } from './branches.ts'
import {
  acksOf,
  beginsWith,
  type Conclusion,
  conclude,
  type Evidence,
  forkProofOf,
  holdAgainst,
  type Witness,
  witnessesOf,
} from './conclusion.ts'
import type { ReadHeader } from './entry.ts'
import { type LogConfig, quorumOf } from './log-config.ts'
import type { LogRules } from './log-rules.ts'
import { type ChainView, trustedEntriesOf } from './log-view.ts'
import type { ServerAnswer } from './server-answer.ts'

export interface Shown {
  rules: LogRules
  /** By the hex of the author: the admin and all who are certified. */
  branches: ReadonlyMap<string, Branches>
  chains: readonly ChainView[]
  answers: readonly ServerAnswer[]
  /** Heads that this reader verified earlier. */
  pinned: readonly ReadHeader[]
  /** What the caller knows. */
  told: readonly Witness[]
}

export function freshnessOf(shown: Shown): Conclusion {
  const evidence = [...forksIn(shown), ...contradictions(shown)]
  return conclude(countsOf(shown), withoutRepeats(evidence))
}

/**
 * The configs of which a quorum is needed: the newest, and the one before while the newest is not
 * settled. The admin writes nothing behind a config before a quorum of both has it.
 */
export function neededConfigs(rules: LogRules, admin: ChainView | undefined): LogConfig[] {
  const { configs } = rules
  const isSettled = admin?.chain.head?.fields.kind !== 'config'
  return configs.slice(isSettled ? -1 : -2)
}

/** Answers and quorum of the config that falls shortest. */
function countsOf({ rules, chains, answers }: Shown): { answered: number; quorum: number } {
  const sound = new Set(
    answers.filter(({ error }) => error === undefined).map(({ peer }) => peer.id),
  )
  const admin = chains.find(({ certificate }) => certificate === undefined)
  const counts = neededConfigs(rules, admin).map(({ servers }) => ({
    answered: servers.filter((key) => sound.has(peerIdOf(key))).length,
    quorum: quorumOf(servers.length),
  }))
  return counts.reduce((a, b) => (b.answered - b.quorum < a.answered - a.quorum ? b : a))
}

function forksIn({ branches, answers, chains, pinned }: Shown): Evidence[] {
  const evidence: Evidence[] = [...branches.values()].flatMap((each) => each.proofs())
  for (const { held, other } of answers.flatMap(({ forks }) => forks)) {
    const proof = forkProofOf(held, other)
    if (proof !== undefined && branches.has(toHex(proof.author))) evidence.push(proof)
  }
  for (const pin of pinned) {
    const view = chains.find(({ author }) => toHex(author) === toHex(pin.fields.author))
    const entry = view?.chain.entries[pin.fields.seq - 1]
    const proof = entry === undefined ? undefined : forkProofOf(pin, entry)
    if (proof !== undefined) evidence.push(proof)
  }
  return evidence
}

/** Witnesses that the chains do not bear out. */
function contradictions({ rules, branches, chains, pinned, told }: Shown): Evidence[] {
  const byAuthor = new Map(chains.map((view) => [toHex(view.author), view.chain]))
  const authors = [
    ...chains.map(({ author }) => author),
    ...rules.certificates.map((c) => c.subject),
  ]
  const authorOf = (prefix: Uint8Array) => authors.find((author) => beginsWith(author, prefix))
  const pins = pinned.map(({ fields: { author, seq }, id }): Witness => {
    return { kind: 'pin', author, seq, id }
  })
  const acks = chains.flatMap((view) => acksOf(view.chain, trustedEntriesOf(view).length, authorOf))
  return [...pins, ...told, ...witnessesOf(rules.checkpoints), ...acks].flatMap((witness) => {
    const key = toHex(witness.author)
    // a version that is shown somewhere is no omission: the fork is told of by itself
    if (branches.get(key)?.holding(witness) !== undefined) return []
    return holdAgainst(witness, byAuthor.get(key)) ?? []
  })
}

/** One piece of evidence for each place and kind. */
function withoutRepeats(evidence: readonly Evidence[]): Evidence[] {
  const unique = new Map<string, Evidence>()
  for (const piece of evidence) {
    const by = 'by' in piece && piece.by !== undefined ? toHex(piece.by) : ''
    const key = [piece.kind, toHex(piece.author), piece.seq, by].join(' ')
    if (!unique.has(key)) unique.set(key, piece)
  }
  return [...unique.values()]
}
