/**
 * Writes one author's chain: from the head that a quorum shows, one entry after another, each
 * signed once and offered until a quorum has it (docs/specs/log.md, "Appending").
 */
import { compareBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import {
  bodyHashOf,
  type EntryKind,
  formatHeader,
  type LogEntry,
  type ReadHeader,
  readHeader,
  signHeader,
  skipOf,
} from './entry.ts'
import { acksFor } from './acks.ts'
import type { EntryJournal } from './entry-journal.ts'
import { neededConfigs } from './freshness.ts'
import { type Handover, handoverOf, type KnownChain } from './handover.ts'
import type { LogConfig } from './log-config.ts'
import type { LogPeer } from './log-peer.ts'
import type { LogReader } from './log-reader.ts'
import type { LogRules, RuleChange } from './log-rules.ts'
import type { LogView } from './log-view.ts'
import { type AppendReport, appendAtQuorum, isTaken } from './quorum-append.ts'
import type { EntryPlace } from './sealed-body.ts'
import { VerifiedChain } from './verified-chain.ts'
import { checkHead, isUnsettled, throwRefusal } from './writer-refusals.ts'

export interface ChainWriterOptions {
  /** Of the author's Ed25519 key, 32 bytes; kept. */
  seed: Uint8Array
  reader: LogReader
  peers: () => readonly LogPeer[]
  journal: EntryJournal
  clock: Clock
}

export interface WriteOptions {
  signal?: AbortSignal
}

export class ChainWriter {
  readonly author: Uint8Array
  readonly #options: ChainWriterOptions
  #view: LogView
  /** Its own: what is written here the reader has still to read, or it would not heed its rules. */
  readonly #chain: VerifiedChain
  /** Of the admin: with all that was written here. */
  readonly #rules: LogRules
  #handover: Handover
  /** Signed, and not yet seen at a quorum. */
  #pending: LogEntry | undefined
  /** Configs that the next entry must reach. */
  #configs: readonly LogConfig[]
  /** Peer ids of those that answered last, whom others are caught up from. */
  #answering: ReadonlySet<string>
  #last: Promise<unknown> = Promise.resolve()

  private constructor(options: ChainWriterOptions, view: LogView, pending: LogEntry | undefined) {
    this.#options = options
    this.#view = view
    this.#pending = pending
    this.author = publicKeyOfSeed(options.seed)
    // the reader's own grows as it reads: what is written in between it must find by itself
    const { logId, rules } = view
    const shown = view.chainOf(this.author)?.chain
    this.#chain = shown?.copy(logId) ?? new VerifiedChain(logId, this.author)
    this.#rules = rules.copy()
    if (pending !== undefined) this.#applyPending(readHeader(pending), pending.body)
    this.#configs = configsOf(view)
    this.#answering = new Set(
      view.servers.filter(({ reason }) => reason === undefined).map(({ server }) => server),
    )
    this.#handover = this.#handoverOf(view)
  }

  /**
   * Reads the log and goes on from the head of the author's chain: whoever lost his state, or was
   * cloned, comes to know it here.
   *
   * @throws E_NOT_ENOUGH_SERVERS if too few answer to know the head; E_FORKED if the chain has been
   *   written twice; E_TRUNCATED if its end is hidden; E_REVOKED; what `LogReader.read` throws
   */
  static async open(options: ChainWriterOptions, write: WriteOptions = {}): Promise<ChainWriter> {
    const view = await options.reader.read({ signal: write.signal })
    const author = publicKeyOfSeed(options.seed)
    const pending = await options.journal.load(author)
    checkHead(view, author, pending)
    const shown = view.chainOf(author)?.chain ?? new VerifiedChain(view.logId, author)
    const isOpen = pending !== undefined && isUnsettled(pending, shown)
    if (pending !== undefined && !isOpen) await options.journal.clear(author)
    return new ChainWriter(options, view, isOpen ? pending : undefined)
  }

  /** What was read at the opening. */
  get view(): LogView {
    return this.#view
  }

  /** Seq of the newest entry of the chain, committed or not. */
  get seq(): number {
    const pending = this.#pending === undefined ? 0 : readHeader(this.#pending).fields.seq
    return Math.max(this.#chain.seq, pending)
  }

  /** The last entry that was not seen at a quorum, as after a crash; undefined if all were. */
  get pending(): LogEntry | undefined {
    return this.#pending
  }

  /** The newest entry of a kind that is committed; undefined for none. */
  newest(kind: EntryKind): ReadHeader | undefined {
    return this.#chain.entries.findLast(
      (entry) => entry.fields.kind === kind && this.#isSettled(entry),
    )
  }

  /** An entry of the chain, if it is there and committed. */
  committed(id: Uint8Array): ReadHeader | undefined {
    return this.#chain.entries.findLast(
      (entry) => compareBytes(entry.id, id) === 0 && this.#isSettled(entry),
    )
  }

  /** Configs of which a quorum is needed: two while the newest is not settled. */
  get configs(): readonly LogConfig[] {
    return this.#configs
  }

  /** From the next entry on, a quorum of each of `configs` is needed. */
  require(configs: readonly LogConfig[]): void {
    this.#configs = configs
  }

  /**
   * Appends an entry. One that is pending is offered first, and must be committed.
   *
   * @param bodyOf - makes the body for its place; called once
   * @returns a report whose outcome is `not-durable` if a quorum did not take it; then `retry`
   * @throws what the rules have against an entry of the admin, before anything is signed;
   *   E_NOT_DURABLE if the pending one is still not committed; E_FORKED with the proof in its
   *   facts if a server shows that another has written the same chain; E_REVOKED, E_CERTIFICATE and
   *   E_RATE if servers refuse for that reason; RangeError for a body too long
   */
  append(
    kind: EntryKind,
    bodyOf: (place: EntryPlace) => Uint8Array,
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    return this.#inTurn(async () => {
      if (this.#pending !== undefined) {
        const { outcome } = await this.#offer(this.#pending, options)
        if (outcome !== 'committed') throw notDurable()
      }
      const entry = this.#make(kind, bodyOf)
      // one that no server may take could never be got rid of again
      const change = this.#changeOf(kind, entry.body)
      await this.#options.journal.save(this.author, entry)
      this.#pending = entry
      if (change !== undefined) this.#rules.apply(change)
      return this.#offer(entry, options)
    })
  }

  /** Offers the pending entry once more; undefined if there is none. Throws as `append` does. */
  retry(options: WriteOptions = {}): Promise<AppendReport | undefined> {
    return this.#inTurn(async () =>
      this.#pending === undefined ? undefined : this.#offer(this.#pending, options),
    )
  }

  /** Reads the log again: the heads that the next entries acknowledge, and the servers they go to. */
  async refresh(options: WriteOptions = {}): Promise<void> {
    this.#view = await this.#options.reader.read({ signal: options.signal })
    this.#configs = configsOf(this.#view)
    this.#handover = this.#handoverOf(this.#view)
  }

  #handoverOf(view: LogView): Handover {
    return handoverOf(view, {
      clock: this.#options.clock,
      peers: () => this.#sources(),
      admin: () => this.#adminChain(),
    })
  }

  /** What an entry of the admin changes. Throws what the rules have against it. */
  #changeOf(kind: EntryKind, body: Uint8Array | undefined): RuleChange | undefined {
    if (body === undefined || !this.#rules.isAdmin(this.author)) return undefined
    return this.#rules.readChange(kind, body)
  }

  /** Of what was signed before a crash and is not in the chain that was read. */
  #applyPending({ fields }: ReadHeader, body: Uint8Array | undefined): void {
    if (fields.seq <= this.#chain.seq) return
    try {
      const change = this.#changeOf(fields.kind, body)
      if (change !== undefined) this.#rules.apply(change)
    } catch (error) {
      // servers will say the same of it
      if (!isGridError(error)) throw error
    }
  }

  /** One that is pending may be in the chain already, as a server or two show it. */
  #isSettled({ id }: ReadHeader): boolean {
    return this.#pending === undefined || compareBytes(readHeader(this.#pending).id, id) !== 0
  }

  /** One append at a time, whatever came of those before. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {})
    return turn
  }

  #make(kind: EntryKind, bodyOf: (place: EntryPlace) => Uint8Array): LogEntry {
    const { chain } = this.#chain
    const seq = chain.seq + 1
    const place = {
      logId: this.#view.logId,
      author: this.author,
      seq,
      prev: chain.headId.slice(),
      skip: chain.idAt(skipOf(seq)).slice(),
      acks: acksFor(this.author, this.#view.heads),
      clientMs: Math.max(0, Math.floor(this.#options.clock.nowMs())),
      kind,
    }
    const body = bodyOf(place)
    const fields = { ...place, bodyHash: bodyHashOf(body), bodyBytes: body.length }
    const header = formatHeader(fields)
    return { header, signature: signHeader(header, this.#options.seed), body }
  }

  async #offer(pending: LogEntry, options: WriteOptions): Promise<AppendReport> {
    const entry = readHeader(pending)
    const handed = { ...pending, receipts: [] }
    const report = await appendAtQuorum(handed, entry, this.#chain, {
      logId: this.#view.logId,
      handover: this.#handover,
      configs: this.#configs,
      peers: this.#options.peers,
      signal: options.signal,
    })
    const took = report.servers.flatMap((each) => ('receipt' in each ? each.server : []))
    if (took.length > 0) this.#answering = new Set(took)
    if (report.outcome !== 'committed') {
      throwRefusal(report)
      return report
    }
    const before = this.#configs
    const isSure = this.#rules.isAdmin(this.author) || (await this.#isCurrent(report, options))
    if (!isSure && this.#configs !== before) return this.#offer(pending, options)
    if (!isSure) return { ...report, outcome: 'not-durable' }
    await this.#settle(entry)
    return report
  }

  /**
   * Whether the configs are still those that were known when the last entry was offered. Servers
   * that stay take entries of an author who has not heard of a move, but readers may ask so many
   * others that these make no quorum any more. Unless a quorum knew no more of the admin than is
   * known here, the log is read again. The configs are the new ones if not; the same if too few
   * answer to know.
   */
  async #isCurrent({ servers }: AppendReport, options: WriteOptions): Promise<boolean> {
    const before = this.#configs
    const known = this.#view.chainOf(this.#view.genesis.adminKey)?.chain.seq ?? 0
    if (isTaken(servers, before, known)) return true
    await this.refresh(options)
    const isSame = newestOf(this.#configs).epoch === newestOf(before).epoch
    const { answered, quorum } = this.#view.conclusion
    if (isSame) this.#configs = before
    return isSame && answered >= quorum
  }

  async #settle(entry: ReadHeader): Promise<void> {
    if (entry.fields.seq > this.#chain.seq) this.#chain.take([entry])
    this.#pending = undefined
    await this.#options.journal.clear(this.author)
  }

  #adminChain(): KnownChain | undefined {
    const { adminKey } = this.#view.genesis
    if (compareBytes(adminKey, this.author) === 0) return this.#chain
    return this.#view.chainOf(adminKey)?.chain
  }

  /** Those that answered come first. */
  #sources(): LogPeer[] {
    const ids = new Set(
      this.#view.rules.configs.flatMap(({ servers }) => servers.map((key) => peerIdOf(key))),
    )
    const peers = this.#options.peers().filter(({ id }) => ids.has(id))
    const rank = ({ id }: LogPeer): number => (this.#answering.has(id) ? 0 : 1)
    return peers.sort((a, b) => rank(a) - rank(b))
  }
}

function newestOf(configs: readonly LogConfig[]): LogConfig {
  return configs[configs.length - 1]
}

function configsOf(view: LogView): LogConfig[] {
  return neededConfigs(view.rules, view.chainOf(view.genesis.adminKey))
}

function notDurable(): GridError {
  return new GridError('E_NOT_DURABLE', 'the entry before is on fewer servers than a quorum')
}
