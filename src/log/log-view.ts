/** A log as a reader has verified it at one moment, and what may be concluded of it. */
import { compareBytes, toHex } from '../base/bytes.ts'
import type { Certificate } from './certificate.ts'
import type { Conclusion } from './conclusion.ts'
import type { EntryHeader, ReadHeader } from './entry.ts'
import type { Genesis } from './genesis.ts'
import type { ChainHead } from './log-peer.ts'
import type { LogRules } from './log-rules.ts'
import type { Revocation } from './revocation.ts'
import type { ServerAnswer } from './server-answer.ts'
import type { VerifiedChain } from './verified-chain.ts'

/** One author's chain; of a forked one the version to go by. */
export interface ChainView {
  readonly author: Uint8Array
  readonly chain: VerifiedChain
  /** Undefined for the admin. */
  readonly certificate: Certificate | undefined
  /** Entries beyond its last good one are kept and shown, and not trusted. */
  readonly revocation: Revocation | undefined
}

/**
 * How a server's answer bore out. `current`: it has all that is known; `lagging`: a part of it;
 * `forked`: another version of a chain; `absent`: no such log there; `silent`: no answer in time;
 * `wrong`: what it answered is malformed, or did not verify.
 */
export interface ServerVerdict {
  /** Peer id. */
  readonly server: string
  readonly verdict: 'current' | 'lagging' | 'forked' | 'absent' | 'silent' | 'wrong'
  /** Its heads, for those that answered. */
  readonly heads: readonly ChainHead[]
  /** Why, for the last three: one line. */
  readonly reason: string | undefined
}

export interface LogViewParts {
  logId: Uint8Array
  genesis: Genesis
  genesisBytes: Uint8Array
  rules: LogRules
  /** The admin's first. */
  chains: readonly ChainView[]
  conclusion: Conclusion
  servers: readonly ServerVerdict[]
}

export class LogView {
  readonly logId: Uint8Array
  readonly genesis: Genesis
  readonly genesisBytes: Uint8Array
  readonly rules: LogRules
  readonly chains: readonly ChainView[]
  readonly conclusion: Conclusion
  readonly servers: readonly ServerVerdict[]

  constructor(parts: LogViewParts) {
    this.logId = parts.logId
    this.genesis = parts.genesis
    this.genesisBytes = parts.genesisBytes
    this.rules = parts.rules
    this.chains = parts.chains
    this.conclusion = parts.conclusion
    this.servers = parts.servers
  }

  chainOf(author: Uint8Array): ChainView | undefined {
    return this.chains.find((view) => compareBytes(view.author, author) === 0)
  }

  /** Heads of all chains, the admin's first. */
  get heads(): ChainHead[] {
    return this.chains.flatMap(({ author, chain: { head } }) => {
      return head === undefined ? [] : [{ author, seq: head.fields.seq, id: head.id }]
    })
  }

  /** Trusted entries of one kind, whose authors may write them, chain by chain. */
  *entries(kind: EntryHeader['kind']): Generator<ReadHeader> {
    for (const view of this.chains) {
      for (const entry of trustedEntriesOf(view)) {
        const { fields } = entry
        if (fields.kind === kind && this.rules.refusalOf(fields) === undefined) yield entry
      }
    }
  }
}

/** Up to where a revocation lets it stand; nothing of a version that it does not name. */
export function trustedEntriesOf({ chain, revocation }: ChainView): readonly ReadHeader[] {
  if (revocation === undefined) return chain.entries
  const { lastGoodSeq, lastGoodId } = revocation
  const isNamed = lastGoodSeq > chain.seq || chain.chain.holds(lastGoodSeq, lastGoodId)
  return isNamed ? chain.entries.slice(0, lastGoodSeq) : []
}

/** How `answer` bore out against the chains that were verified in the end. */
export function verdictOf(answer: ServerAnswer, chains: readonly ChainView[]): ServerVerdict {
  const { peer, error } = answer
  const heads = [...answer.heads.values()]
  if (error !== undefined) {
    const verdict =
      error.code === 'E_ABSENT' ? 'absent' : silences.has(error.code) ? 'silent' : 'wrong'
    return { server: peer.id, verdict, heads: [], reason: error.message }
  }
  let verdict: 'current' | 'lagging' | 'forked' = 'current'
  for (const { author, chain } of chains) {
    const head = answer.heads.get(toHex(author))
    if (head !== undefined && !chain.chain.holds(head.seq, head.id)) verdict = 'forked'
    else if ((head?.seq ?? 0) < chain.seq && verdict === 'current') verdict = 'lagging'
  }
  return { server: peer.id, verdict, heads, reason: undefined }
}

const silences: ReadonlySet<string> = new Set([
  'E_TIMEOUT',
  'E_UNREACHABLE',
  'E_CLOSED',
  'E_BUSY',
  'E_RATE',
])
