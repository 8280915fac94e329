/**
 * The versions of one author's chain that servers show: one, unless somebody forked it
 * (docs/specs/log.md, "Reading"). Each is verified before it is looked at.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { withDeadline } from '../base/deadline.ts'
import { asGridError, GridError } from '../base/errors.ts'
import { isSigned, type ReadHeader } from './entry.ts'
import { type ForkProof, forkProofOf } from './conclusion.ts'
import { type FetchedEntry, fetchChain, type FetchOptions } from './fetch-chain.ts'
import type { ChainHead, ReadLogRequest } from './log-peer.ts'
import type { Revocation } from './revocation.ts'
import type { ServerAnswer } from './server-answer.ts'
import { VerifiedChain } from './verified-chain.ts'

/** A longer stretch is fetched only once its end is known to be signed. */
const trustedStretch = 1024
/** Time for one server to show what it claims of one chain. */
const stretchMs = 60_000
/** A longer chain is not followed: its author and a server could make a reader hold it without end. */
export const maxChainEntries = 131_072
/** Versions that are followed. */
const maxBranches = 8

export interface BranchesOptions extends FetchOptions {
  bodies: ReadLogRequest['bodies']
  /** Called with entries as they are verified, in order, before they are taken in; may refuse by throwing. */
  onEntries?: (entries: readonly FetchedEntry[]) => void
}

/** A claimed head, and whose claim it is. */
interface Claim {
  head: ChainHead
  by: ServerAnswer[]
}

export class Branches {
  readonly #logId: Uint8Array
  readonly #author: Uint8Array
  readonly #branches: VerifiedChain[] = []

  constructor(logId: Uint8Array, author: Uint8Array) {
    this.#logId = logId
    this.#author = author
  }

  /**
   * Takes in what `answers` claim of this chain; an answer that does not bear out gets its error.
   * First what most claim, from one of them; then what is left all at once, so that servers that
   * claim much and show nothing hold each other up, and nobody else.
   */
  async follow(answers: readonly ServerAnswer[], options: BranchesOptions): Promise<void> {
    const [first, ...rest] = this.#claimsOf(answers)
    if (first === undefined) return
    await this.#followClaim(first, options)
    await Promise.all(rest.map((claim) => this.#followClaim(claim, options)))
  }

  /** Claimed heads with those who claim them, the most claimed first, then the longest. */
  #claimsOf(answers: readonly ServerAnswer[]): Claim[] {
    const claims = new Map<string, Claim>()
    for (const answer of answers) {
      const head = answer.heads.get(toHex(this.#author))
      if (answer.error !== undefined || head === undefined) continue
      if (!Number.isSafeInteger(head.seq) || head.seq < 1) {
        answer.error = new GridError('E_PROTOCOL', 'a server claims a head that is none')
        continue
      }
      const key = `${head.seq} ${toHex(head.id)}`
      const claim = claims.get(key) ?? { head, by: [] }
      claim.by.push(answer)
      claims.set(key, claim)
    }
    const byWeight = (a: Claim, b: Claim): number =>
      b.by.length - a.by.length || b.head.seq - a.head.seq
    return [...claims.values()].sort(byWeight)
  }

  async #followClaim({ head, by }: Claim, options: BranchesOptions): Promise<void> {
    for (const answer of by) {
      if (this.holding(head) !== undefined) return
      const fetch = (signal: AbortSignal) => this.#fetch(answer, head, { ...options, signal })
      try {
        await withDeadline(options.clock, stretchMs, fetch, { signal: options.signal })
      } catch (error) {
        options.signal?.throwIfAborted()
        answer.error = asGridError(error, 'E_PROTOCOL', 'a log server')
      }
    }
  }

  /** The version in which `head` is verified, if there is one. */
  holding({ seq, id }: Pick<ChainHead, 'seq' | 'id'>): VerifiedChain | undefined {
    return this.#branches.find(({ chain }) => chain.holds(seq, id))
  }

  /**
   * The version to go by: the one that a revocation names, else the one most servers show, else
   * the longest. Undefined if there is none.
   */
  best(answers: readonly ServerAnswer[], revocation?: Revocation): VerifiedChain | undefined {
    const key = toHex(this.#author)
    const rank = (branch: VerifiedChain): number[] => [
      revocation !== undefined && branch.chain.holds(revocation.lastGoodSeq, revocation.lastGoodId)
        ? 1
        : 0,
      answers.filter(({ error, heads }) => {
        const head = heads.get(key)
        return error === undefined && head !== undefined && branch.chain.holds(head.seq, head.id)
      }).length,
      branch.seq,
    ]
    const better = (a: VerifiedChain, b: VerifiedChain): VerifiedChain => {
      const [ranksA, ranksB] = [rank(a), rank(b)]
      const at = ranksA.findIndex((value, i) => value !== ranksB[i])
      if (at >= 0) return ranksA[at] > ranksB[at] ? a : b
      return compareBytes(a.chain.headId, b.chain.headId) <= 0 ? a : b
    }
    return this.#branches.length === 0 ? undefined : this.#branches.reduce(better)
  }

  /** All versions. */
  get all(): readonly VerifiedChain[] {
    return this.#branches
  }

  /** A proof for each version beyond the first. */
  proofs(): ForkProof[] {
    const [first, ...others] = this.#branches
    return others.flatMap((other) => {
      const seq = first.partsAt(other)
      if (seq === undefined) return []
      return forkProofOf(first.entries[seq - 1], other.entries[seq - 1]) ?? []
    })
  }

  async #fetch(answer: ServerAnswer, head: ChainHead, options: BranchesOptions): Promise<void> {
    for (const branch of [...this.#branches]) {
      if (branch.seq >= head.seq) continue
      const entries = await this.#load(branch, answer, head, options)
      if (entries !== undefined && this.#take(entries, options)) return
    }
    const whole = await this.#load(undefined, answer, head, options)
    if (whole === undefined || !this.#take(whole, options)) {
      throw new GridError('E_LINK', 'a chain that does not begin with its log')
    }
  }

  /** What this server has behind `branch`, up to `head`; undefined if it goes on from elsewhere. */
  async #load(
    branch: VerifiedChain | undefined,
    { peer }: ServerAnswer,
    head: ChainHead,
    options: BranchesOptions,
  ): Promise<FetchedEntry[] | undefined> {
    const range = { logId: this.#logId, author: this.#author, receipts: false, lastSeq: head.seq }
    const firstSeq = (branch?.seq ?? 0) + 1
    if (head.seq > maxChainEntries) {
      throw new GridError('E_TOO_LARGE', `a chain of more than ${maxChainEntries} entries`)
    }
    if (head.seq - firstSeq > trustedStretch) {
      const end = { ...range, firstSeq: head.seq, bodies: 'none' } as const
      for await (const entry of fetchChain(peer, end, options)) checkHead(entry, head)
    }
    const entries: FetchedEntry[] = []
    const { bodies } = options
    for await (const entry of fetchChain(peer, { ...range, firstSeq, bodies }, options)) {
      if (entries.length === 0 && branch !== undefined && isElsewhere(branch, entry))
        return undefined
      entries.push(entry)
    }
    checkHead(entries[entries.length - 1], head)
    return entries
  }

  /**
   * Puts entries that end in a signed head behind the version they go on from, or makes them a
   * version of their own if they are whole; false if they go on from nothing. In one step, since
   * others may have put there the same in the meantime.
   */
  #take(entries: readonly FetchedEntry[], options: BranchesOptions): boolean {
    const firstSeq = entries[0].fields.seq
    const found = this.#branches.find(
      (branch) =>
        firstSeq <= branch.seq + 1 && !entries.some((entry) => isElsewhere(branch, entry)),
    )
    if (found === undefined && firstSeq !== 1) return false
    if (found === undefined && this.#branches.length >= maxBranches) {
      throw new GridError('E_FORKED', 'too many versions of a chain')
    }
    const branch = found ?? new VerifiedChain(this.#logId, this.#author)
    const fresh = entries.filter(({ fields }) => fields.seq > branch.seq)
    branch.check(fresh)
    // of a second version only the links count: what is in it changes no rules
    const isMain = this.#branches.length === 0 || branch === this.#branches[0]
    if (isMain) options.onEntries?.(fresh)
    branch.take(fresh.map(withoutBody))
    if (found === undefined) this.#branches.push(branch)
    return true
  }
}

function withoutBody({ header, signature, fields, id }: FetchedEntry): ReadHeader {
  return { header, signature, fields, id }
}

/** Whether `entry` is where `branch` has, or can only have, another. */
function isElsewhere({ chain }: VerifiedChain, { fields, id }: FetchedEntry): boolean {
  const place = chain.placeOf(fields, id)
  return place === 'conflict' || place === 'unlinked'
}

function checkHead(entry: FetchedEntry, { seq, id }: ChainHead): void {
  if (entry.fields.seq !== seq || compareBytes(entry.id, id) !== 0) {
    throw new GridError('E_PROTOCOL', 'a server shows another head than it claims')
  }
  if (!isSigned(entry)) throw new GridError('E_SIGNATURE', 'a head is not signed by its author')
}
