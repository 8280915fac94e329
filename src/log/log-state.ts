/**
 * What a server knows of one log, and by it whether it takes an entry (docs/specs/log.md,
 * "Acceptance"). Pure state: the store makes an entry durable between `check` and `take`, and
 * replays what it holds when it starts.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { type ErrorCode, GridError, isGridError } from '../base/errors.ts'
import { Chain } from './chain.ts'
import { checkBody, isSigned, type LogEntry, type ReadHeader, readHeader } from './entry.ts'
import { type Genesis, readGenesis } from './genesis.ts'
import { maxLiars } from './log-config.ts'
import type { ChainHead, HandedEntry } from './log-peer.ts'
import { LogRules, type RuleChange, ruleKinds } from './log-rules.ts'
import { RateWindow } from './rate-window.ts'
import { isReceiptFor, type Receipt } from './receipt.ts'

/** What is to be done with an entry. */
export type Acceptance =
  /** Make it durable, sign a receipt, then `take` it. */
  | { outcome: 'take'; entry: ReadHeader; late: boolean }
  /** It is held; give the receipt of then. A body that lacks and matches may be kept now. */
  | { outcome: 'had'; entry: ReadHeader }
  /** Signed by its author, and another is held in its place: keep up to 8 of a chain as evidence. */
  | { outcome: 'conflict'; entry: ReadHeader }
  | { outcome: 'gap'; headSeq: number }
  | { outcome: 'refused'; code: ErrorCode; reason: string }

/** When an entry was taken. */
export interface TakenAt {
  receivedMs: number
  late: boolean
}

export class LogState {
  readonly logId: Uint8Array
  readonly genesis: Genesis
  readonly rules: LogRules
  /** By the hex of the author's key. */
  readonly #chains = new Map<string, { author: Uint8Array; chain: Chain; rate: RateWindow }>()

  readonly #serverKey: Uint8Array | undefined
  /** Whether any config so far named this server. */
  #wasMember: boolean

  /**
   * @param serverKey - whose state it is, 32 bytes; kept
   * @throws E_GENESIS if `genesis` is not that of `logId`
   */
  constructor(logId: Uint8Array, genesis: Uint8Array, serverKey?: Uint8Array) {
    this.logId = logId
    this.#serverKey = serverKey
    this.genesis = readGenesis(genesis, logId)
    this.rules = new LogRules(logId, this.genesis, { history: false })
    this.#wasMember = this.#isMember()
  }

  /** Of chains with an entry, the admin's first, then by author ascending. */
  get heads(): ChainHead[] {
    const heads = [...this.#chains.values()].map(({ author, chain }) => {
      return { author, seq: chain.seq, id: chain.headId.slice() }
    })
    return heads.sort((a, b) => this.compareAuthors(a.author, b.author))
  }

  chainOf(author: Uint8Array): Chain | undefined {
    return this.#chains.get(toHex(author))?.chain
  }

  /** The order in which chains are listed. */
  compareAuthors(a: Uint8Array, b: Uint8Array): number {
    const byRank = Number(this.rules.isAdmin(b)) - Number(this.rules.isAdmin(a))
    return byRank === 0 ? compareBytes(a, b) : byRank
  }

  /** What is to be done with `entry` at `nowMs`. Total, and changes nothing. */
  check(entry: HandedEntry, nowMs: number): Acceptance {
    try {
      return this.#check(entry, nowMs)
    } catch (error) {
      if (!isGridError(error)) throw error
      return { outcome: 'refused', code: error.code, reason: error.message }
    }
  }

  /** Takes in an entry that `check` let through and that is durable now. */
  take(entry: ReadHeader, body: Uint8Array | undefined, at: TakenAt): void {
    const change = this.#changeOf(entry, body)
    const { chain, rate } = this.#open(entry.fields.author)
    chain.push(entry.id)
    if (!at.late) rate.add(countedBytes(entry), at.receivedMs)
    if (change === undefined) return
    this.rules.apply(change)
    if (change.kind === 'config') this.#wasMember ||= this.#isMember()
  }

  /**
   * Takes in what was held before, entry by entry, each chain in order and the admin's first.
   * Signatures and limits were checked then. Throws E_LINK or E_ENTRY for what does not fit.
   */
  replay(held: LogEntry, at: TakenAt): ReadHeader {
    const entry = readHeader(held)
    if (this.#placeOf(entry) !== 'next') throw new GridError('E_LINK', 'a held entry out of place')
    if (held.body !== undefined) checkBody(entry.fields, held.body)
    this.take(entry, held.body, at)
    return entry
  }

  #check(handed: HandedEntry, nowMs: number): Acceptance {
    const entry = readHeader(handed)
    if (compareBytes(entry.fields.logId, this.logId) !== 0) {
      return refused('E_ENTRY', 'an entry of another log')
    }
    const place = this.#placeOf(entry)
    if (place === 'had') return { outcome: 'had', entry }
    const refusal = this.rules.refusalOf(entry.fields)
    if (refusal !== undefined) return { outcome: 'refused', ...refusal }
    if (!isSigned(entry)) return refused('E_SIGNATURE', 'not signed by its author')
    if (place === 'conflict') return { outcome: 'conflict', entry }
    if (place === 'gap') {
      return { outcome: 'gap', headSeq: this.chainOf(entry.fields.author)?.seq ?? 0 }
    }
    if (place === 'unlinked') return refused('E_LINK', 'it does not follow the head of its chain')
    return this.#checkNext(entry, handed, nowMs)
  }

  #checkNext(entry: ReadHeader, { body, receipts }: HandedEntry, nowMs: number): Acceptance {
    const late = receipts.length > 0 && this.#isVouchedFor(entry, receipts)
    if (body !== undefined) checkBody(entry.fields, body)
    else if (!late || ruleKinds.has(entry.fields.kind)) {
      return refused('E_ENTRY', 'its body is missing')
    }
    this.#changeOf(entry, body)
    if (!late && this.#isReplaced() && !this.rules.isAdmin(entry.fields.author)) {
      return refused('E_READ_ONLY', 'a later config names other servers')
    }
    const rate = this.#chains.get(toHex(entry.fields.author))?.rate ?? new RateWindow()
    const limits = this.rules.limitsOf(entry.fields.author)
    if (!late && !rate.hasRoom(limits, countedBytes(entry), nowMs)) {
      return refused('E_RATE', 'more than its certificate allows')
    }
    return { outcome: 'take', entry, late }
  }

  /** Whether f + 1 servers of the config have given receipts, so an honest one has. */
  #isVouchedFor({ id }: ReadHeader, receipts: readonly Receipt[]): boolean {
    const { servers } = this.rules.config
    const subject = { logId: this.logId, id }
    const nodes = new Set<string>()
    for (const receipt of receipts) {
      const key = toHex(receipt.node)
      if (nodes.has(key) || !servers.some((server) => toHex(server) === key)) continue
      if (isReceiptFor(subject, receipt)) nodes.add(key)
    }
    return nodes.size > maxLiars(servers.length)
  }

  /** Whether this server kept the log once, and no more: then no quorum is made of it. */
  #isReplaced(): boolean {
    return this.#wasMember && !this.#isMember()
  }

  #isMember(): boolean {
    const key = this.#serverKey
    return key !== undefined && this.rules.config.servers.some((server) => equal(server, key))
  }

  #placeOf({ fields, id }: ReadHeader) {
    return (this.chainOf(fields.author) ?? new Chain(this.logId)).placeOf(fields, id)
  }

  #changeOf({ fields }: ReadHeader, body: Uint8Array | undefined): RuleChange | undefined {
    return body === undefined ? undefined : this.rules.readChange(fields.kind, body)
  }

  #open(author: Uint8Array) {
    const key = toHex(author)
    const held = this.#chains.get(key)
    if (held !== undefined) return held
    const fresh = { author: author.slice(), chain: new Chain(this.logId), rate: new RateWindow() }
    this.#chains.set(key, fresh)
    return fresh
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0
}

/** What an entry counts against its author's limits. */
function countedBytes({ header, fields }: ReadHeader): number {
  return header.length + fields.bodyBytes
}

function refused(code: ErrorCode, reason: string): Acceptance {
  return { outcome: 'refused', code, reason }
}
