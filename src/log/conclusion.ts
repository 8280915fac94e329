/** What a reader may conclude from what servers showed it, in four words (docs/specs/log.md, "Conclusion"). */
import { compareBytes } from '../base/bytes.ts'
import { type Ack, isSigned, readHeader, type SignedHeader } from './entry.ts'
import type { Checkpoint } from './checkpoint.ts'
import { isReceiptFor, type Receipt } from './receipt.ts'
import type { VerifiedChain } from './verified-chain.ts'

/** Two entries of one author and seq, each signed: proof to anyone. */
export interface ForkProof {
  kind: 'fork'
  author: Uint8Array
  seq: number
  entries: readonly [SignedHeader, SignedHeader]
}

/** Where a reader knows of an entry from, other than from the servers' chains. */
export type WitnessKind = 'pin' | 'ack' | 'checkpoint' | 'receipt' | 'told'

/** An entry that must be there, and who says so. */
export interface Witness {
  kind: WitnessKind
  author: Uint8Array
  seq: number
  /** Its id, or the first bytes of it. */
  id: Uint8Array
  /** Who says so: the author of the ack, or the server of a receipt. */
  by?: Uint8Array
}

/** A witness that the chains shown do not bear out. */
export interface WitnessAgainst extends Witness {
  /** `missing`: the chain ends before it. `other`: another entry stands in its place. */
  finding: 'missing' | 'other'
}

export type Evidence = ForkProof | WitnessAgainst

/**
 * FRESH: a quorum answered, so what is shown holds every entry that was committed before.
 * STALE-POSSIBLE: too few answered, newer entries may exist. TRUNCATED: entries exist that are not
 * shown. FORKED: an author's chain is shown in two versions.
 */
export type Freshness = 'FRESH' | 'STALE-POSSIBLE' | 'TRUNCATED' | 'FORKED'

export interface Conclusion {
  state: Freshness
  /** Servers of the config that answered, in chains that were verified. */
  answered: number
  /** How many are needed for FRESH. */
  quorum: number
  /** Empty for the first two states. */
  evidence: readonly Evidence[]
}

/** Fork beats truncation, which beats staleness. */
export function conclude(
  { answered, quorum }: { answered: number; quorum: number },
  evidence: readonly Evidence[],
): Conclusion {
  const isFork = ({ kind, ...rest }: Evidence): boolean =>
    kind === 'fork' || ('finding' in rest && rest.finding === 'other')
  if (evidence.some(isFork)) return { state: 'FORKED', answered, quorum, evidence }
  if (evidence.length > 0) return { state: 'TRUNCATED', answered, quorum, evidence }
  return { state: answered >= quorum ? 'FRESH' : 'STALE-POSSIBLE', answered, quorum, evidence }
}

/** What the servers' chains say against `witness`, if anything. */
export function holdAgainst(
  witness: Witness,
  chain: VerifiedChain | undefined,
): WitnessAgainst | undefined {
  if (chain === undefined || witness.seq > chain.seq) return { ...witness, finding: 'missing' }
  const shown = chain.chain.idAt(witness.seq).subarray(0, witness.id.length)
  if (compareBytes(shown, witness.id) === 0) return undefined
  return { ...witness, finding: 'other' }
}

/** The heads that the admin has pinned. */
export function witnessesOf(checkpoints: readonly Checkpoint[]): Witness[] {
  return checkpoints.flatMap(({ heads }) => heads.map((head) => ({ kind: 'checkpoint', ...head })))
}

/**
 * The heads of other chains that `chain` acknowledges, up to `lastSeq`; `authorOf` finds the author
 * of a prefix. Only the newest of each is given: those before it are below it.
 */
export function acksOf(
  chain: VerifiedChain,
  lastSeq: number,
  authorOf: (prefix: Uint8Array) => Uint8Array | undefined,
): Witness[] {
  const newest = new Map<Uint8Array, Ack>()
  for (const { fields } of chain.entries.slice(0, lastSeq)) {
    for (const ack of fields.acks) {
      const author = authorOf(ack.authorPrefix)
      if (author === undefined) continue
      const held = newest.get(author)
      if (held === undefined || held.seq < ack.seq) newest.set(author, ack)
    }
  }
  return [...newest].map(([author, { seq, id }]) => {
    return { kind: 'ack', author, seq, id, by: chain.author }
  })
}

/** What a held receipt proves: its server had the entry. Nothing if it is not that server's. */
export function witnessOfReceipt(
  logId: Uint8Array,
  entry: SignedHeader,
  receipt: Receipt,
): Witness | undefined {
  const { fields, id } = readHeader(entry)
  if (!isReceiptFor({ logId, id }, receipt)) return undefined
  return { kind: 'receipt', author: fields.author, seq: fields.seq, id, by: receipt.node }
}

/** The proof that two signed headers are, if they are one. Total. */
export function forkProofOf(a: SignedHeader, b: SignedHeader): ForkProof | undefined {
  try {
    const [first, second] = [readHeader(a), readHeader(b)]
    const isOnePlace =
      first.fields.seq === second.fields.seq &&
      compareBytes(first.fields.author, second.fields.author) === 0 &&
      compareBytes(first.fields.logId, second.fields.logId) === 0
    if (!isOnePlace || compareBytes(first.id, second.id) === 0) return undefined
    if (!isSigned(first) || !isSigned(second)) return undefined
    const { author, seq } = first.fields
    const plain = ({ header, signature }: SignedHeader) => ({ header, signature })
    return { kind: 'fork', author, seq, entries: [plain(a), plain(b)] }
  } catch {
    return undefined
  }
}
