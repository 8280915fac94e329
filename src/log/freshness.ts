/** Gathers what speaks for and against the chains that servers showed (docs/specs/log.md, "Conclusion"). */
import { equalBytes, toHex } from '../base/bytes.ts'
import { peerIdOf } from '../base/peer-id.ts'
import type { Branches } from './branches.ts'
import {
  acksOf,
  type Conclusion,
  conclude,
  type Evidence,
  type ForkProof,
  forkProofOf,
  holdAgainst,
  type Witness,
  witnessesOf,
} from './conclusion.ts'
import { ackKeyBytes, type ReadHeader, readHeader } from './entry.ts'
import { type LogConfig, quorumOf } from './log-config.ts'
import type { LogRules } from './log-rules.ts'
import { type ChainView, trustedEntriesOf } from './log-view.ts'
import type { ServerAnswer } from './server-answer.ts'
import type { VerifiedChain } from './verified-chain.ts'

export interface Shown {
  /** 32 bytes. */
  logId: Uint8Array
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
  const counts = countsOf(shown)
  const isEnough = counts.answered >= counts.quorum
  const evidence = [...forksIn(shown), ...contradictions(shown, isEnough)]
  return conclude(counts, withoutRepeats(evidence))
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

function forksIn(shown: Shown): Evidence[] {
  const { logId, branches, answers, chains, pinned } = shown
  const evidence: ForkProof[] = [...branches.values()].flatMap((each) => each.proofs())
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
  // a key may be certified in several logs
  const isOfThis = ({ entries: [{ header, signature }] }: ForkProof): boolean =>
    equalBytes(readHeader({ header, signature }).fields.logId, logId)
  return evidence.filter((proof) => isOfThis(proof) && !isSettled(proof, shown))
}

/**
 * Whether a revocation has said what of a key stands, so that nothing else by it matters: who has
 * the key, and a server that colludes, could raise alarms for ever.
 */
function isSettled({ author }: ForkProof, { rules, branches }: Shown): boolean {
  const revocation = rules.revocationOf(author)
  if (revocation === undefined) return false
  const { lastGoodSeq: seq, lastGoodId: id } = revocation
  return seq === 0 || branches.get(toHex(author))?.holding({ seq, id }) !== undefined
}

/** Witnesses that the chains do not bear out. */
function contradictions(shown: Shown, isEnough: boolean): Evidence[] {
  const { rules, chains, pinned, told } = shown
  const byAuthor = new Map(chains.map((view) => [toHex(view.author), view.chain]))
  const authorOf = authorsByPrefix(shown)
  const pins = pinned.map(({ fields: { author, seq }, id }): Witness => {
    return { kind: 'pin', author, seq, id }
  })
  const acks = chains.flatMap((view) => acksOf(view.chain, trustedEntriesOf(view).length, authorOf))
  return [...pins, ...told, ...witnessesOf(rules.checkpoints), ...acks].flatMap((witness) => {
    const { author, seq } = witness
    // what a revocation took away need not be kept by those who never had it
    if (seq > (rules.revocationOf(author)?.lastGoodSeq ?? Infinity)) return []
    // a version that is shown somewhere is no omission: the fork is told of by itself
    if (isShown(witness, shown)) return []
    const chain = byAuthor.get(toHex(author))
    return holdAgainst(witness, chain) ?? (isEnough ? omitted(witness, shown) : [])
  })
}

/** Whether a server claims to have, of a version that was verified now or before, as much as `witness` says. */
function isShown({ author, seq, id }: Witness, { branches, answers }: Shown): boolean {
  const version = branches.get(toHex(author))?.holding({ seq, id })
  return version !== undefined && answers.some((answer) => claims(answer, version, seq))
}

/** That no server shows any more what was verified before, as when all were rolled back since. */
function omitted(witness: Witness, { branches, answers }: Shown): Evidence[] {
  const versions = branches.get(toHex(witness.author))?.all ?? []
  const isThere = versions.some((version) =>
    answers.some((answer) => claims(answer, version, witness.seq)),
  )
  return isThere ? [] : [{ ...witness, finding: 'missing' }]
}

function claims({ heads }: ServerAnswer, version: VerifiedChain, seq: number): boolean {
  const head = heads.get(toHex(version.author))
  return head !== undefined && head.seq >= seq && version.chain.holds(head.seq, head.id)
}

/** Finds the author of an ack among the admin and the certified. */
function authorsByPrefix({ chains, rules }: Shown): (prefix: Uint8Array) => Uint8Array | undefined {
  const authors = new Map<string, Uint8Array>()
  for (const author of [
    ...chains.map((view) => view.author),
    ...rules.certificates.map((c) => c.subject),
  ]) {
    const prefix = toHex(author.subarray(0, ackKeyBytes))
    if (!authors.has(prefix)) authors.set(prefix, author)
  }
  return (prefix) => authors.get(toHex(prefix))
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
