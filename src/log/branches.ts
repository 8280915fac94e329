/**
 * The versions of one author's chain that servers show: one, unless somebody forked it
 * (docs/specs/log.md, "Reading"). Each is verified before it is looked at.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { asGridError, GridError } from '../base/errors.ts'
import { isSigned } from './entry.ts'
import { type ForkProof, forkProofOf } from './conclusion.ts'
import { type FetchedEntry, fetchChain, type FetchOptions } from './fetch-chain.ts'
import type { ChainHead, ReadLogRequest } from './log-peer.ts'
import type { Revocation } from './revocation.ts'
import type { ServerAnswer } from './server-answer.ts'
import { VerifiedChain } from './verified-chain.ts'

/** A longer stretch is fetched only once its end is known to be signed. */
const trustedStretch = 1024
/** Versions that are followed. */
const maxBranches = 8

export interface BranchesOptions extends FetchOptions {
  bodies: ReadLogRequest['bodies']
  /** Called with entries as they are verified, in order, before they are taken in; may refuse by throwing. */
  onEntries?: (entries: readonly FetchedEntry[]) => void
}

export class Branches {
  readonly #logId: Uint8Array
  readonly #author: Uint8Array
  readonly #branches: VerifiedChain[] = []

  constructor(logId: Uint8Array, author: Uint8Array) {
    this.#logId = logId
    this.#author = author
  }

  /** Takes in what `answers` claim of this chain; an answer that does not bear out gets its error. */
  async follow(answers: readonly ServerAnswer[], options: BranchesOptions): Promise<void> {
    const claims = answers
      .filter(({ error }) => error === undefined)
      .flatMap((answer) => {
        const head = answer.heads.get(toHex(this.#author))
        return head === undefined ? [] : [{ answer, head }]
      })
    claims.sort((a, b) => b.head.seq - a.head.seq)
    for (const { answer, head } of claims) {
      if (this.holding(head) !== undefined) continue
      try {
        await this.#fetch(answer, head, options)
      } catch (error) {
        if (options.signal?.aborted) throw error
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
    for (const [i, branch] of this.#branches.entries()) {
      if (branch.seq >= head.seq) continue
      if (await this.#extend(branch, answer, head, i === 0 ? options : quiet(options))) return
    }
    if (this.#branches.length >= maxBranches) throw new GridError('E_FORKED', 'too many versions')
    const fresh = new VerifiedChain(this.#logId, this.#author)
    const isFirst = this.#branches.length === 0
    if (!(await this.#extend(fresh, answer, head, isFirst ? options : quiet(options)))) {
      throw new GridError('E_LINK', 'a chain that does not begin with its log')
    }
    this.#branches.push(fresh)
  }

  /** Whether `branch` goes on to `head` at this server; then it does. */
  async #extend(
    branch: VerifiedChain,
    { peer }: ServerAnswer,
    head: ChainHead,
    options: BranchesOptions,
  ): Promise<boolean> {
    const range = { logId: this.#logId, author: this.#author, receipts: false }
    const { bodies } = options
    if (head.seq - branch.seq > trustedStretch) {
      const end = { ...range, firstSeq: head.seq, lastSeq: head.seq, bodies: 'none' } as const
      for await (const entry of fetchChain(peer, end, options)) checkHead(entry, head)
    }
    const entries: FetchedEntry[] = []
    const missing = { ...range, firstSeq: branch.seq + 1, lastSeq: head.seq, bodies }
    for await (const entry of fetchChain(peer, missing, options)) {
      if (entries.length === 0 && branch.chain.placeOf(entry.fields, entry.id) !== 'next') {
        return false
      }
      entries.push(entry)
    }
    checkHead(entries[entries.length - 1], head)
    branch.check(entries)
    options.onEntries?.(entries)
    branch.take(
      entries.map(({ header, signature, fields, id }) => ({ header, signature, fields, id })),
    )
    return true
  }
}

/** Of a second version only the links count: what is in it changes no rules. */
function quiet({ clock, signal, bodies }: BranchesOptions): BranchesOptions {
  return { clock, signal, bodies }
}

function checkHead(entry: FetchedEntry, { seq, id }: ChainHead): void {
  if (entry.fields.seq !== seq || compareBytes(entry.id, id) !== 0) {
    throw new GridError('E_PROTOCOL', 'a server shows another head than it claims')
  }
  if (!isSigned(entry)) throw new GridError('E_SIGNATURE', 'a head is not signed by its author')
}
