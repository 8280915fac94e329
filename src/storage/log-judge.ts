/**
 * Judges entries that arrive, one after the other, by the rules of their log (src/log/log-state.ts)
 * and the limits of this server, and collects what is to be made durable. Its state runs ahead of
 * the store until that is done; if it fails, judge and state are thrown away.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { checkBody, type ReadHeader, type SignedHeader } from '../log/entry.ts'
import {
  type AppendRequest,
  type AppendVerdict,
  type HandedEntry,
  maxForkEvidence,
} from '../log/log-peer.ts'
import type { LogState } from '../log/log-state.ts'
import { type Receipt, signReceipt } from '../log/receipt.ts'
import { type EntryHead, formatEntryHead, parseEntryHead } from './entry-head.ts'
import { maxChecksPerAppend, maxForksInAll } from './log-limits.ts'
import type { EntryRecord, StoredEntry, StoredLog } from './log-store.ts'

/** Ed25519 key of the server, by which it signs receipts. */
export interface NodeKey {
  seed: Uint8Array
  publicKey: Uint8Array
}

export interface JudgeParts {
  state: LogState
  stored: StoredLog
  nodeKey: NodeKey
  /** Chains that no longer add up here, by the hex of their author: nothing is added to them. */
  damaged: ReadonlySet<string>
  /** Why nothing may be written now, if so; the admin has room of its own. */
  refusal: (isAdmin: boolean) => GridError | undefined
}

export interface Judged {
  verdict: AppendVerdict
  /** True only if what was collected becomes durable. */
  pending: boolean
}

export class LogJudge {
  readonly #parts: JudgeParts
  /** What is to be made durable, in order. */
  readonly records: EntryRecord[] = []
  /** Heads of those, by author and number. */
  readonly #taken = new Map<string, EntryHead>()

  constructor(parts: JudgeParts) {
    this.#parts = parts
  }

  /**
   * A verdict for each entry up to the first that is neither stored nor had, or fewer where that
   * would take long. `room` is whether there is space for them.
   */
  async judge({ entries }: AppendRequest, room: boolean, nowMs: number): Promise<Judged[]> {
    const judged: Judged[] = []
    let checks = 0
    for (const handed of entries) {
      checks += 1 + handed.receipts.length
      if (judged.length > 0 && checks > maxChecksPerAppend) break
      const one = await this.#judgeOne(handed, room, nowMs)
      judged.push(one)
      if (one.verdict.outcome !== 'stored' && one.verdict.outcome !== 'had') break
    }
    return judged
  }

  async #judgeOne(handed: HandedEntry, room: boolean, nowMs: number): Promise<Judged> {
    try {
      const found = this.#parts.state.check(handed, nowMs)
      switch (found.outcome) {
        case 'take':
          this.#checkTakes(found.entry, room)
          return this.#take(found.entry, handed.body, { receivedMs: nowMs, late: found.late })
        case 'had':
          return await this.#had(found.entry, handed.body, room)
        case 'conflict':
          return await this.#conflict(found.entry, room, nowMs)
        default:
          return { verdict: found, pending: false }
      }
    } catch (error) {
      if (!isGridError(error)) throw error
      return { verdict: refused(error), pending: false }
    }
  }

  /** Throws what this server has against writing now. */
  #checkTakes({ fields }: ReadHeader, room: boolean): void {
    const { damaged, state, refusal } = this.#parts
    const admin = toHex(state.genesis.adminKey)
    if (damaged.has(toHex(fields.author)) || damaged.has(admin)) {
      throw new GridError('E_IO', 'this chain is damaged here')
    }
    const reason = refusal(state.rules.isAdmin(fields.author))
    if (reason !== undefined) throw reason
    if (!room) throw new GridError('E_FULL', 'no space left beyond the reserve')
  }

  #take(
    entry: ReadHeader,
    body: Uint8Array | undefined,
    at: Pick<Receipt, 'receivedMs' | 'late'>,
  ): Judged {
    const { state, nodeKey } = this.#parts
    const receipt = signReceipt({ logId: state.logId, id: entry.id }, at, nodeKey)
    const head = { header: entry.header, signature: entry.signature, receipt }
    state.take(entry, body, at)
    this.#record(entry, { head, receivedMs: at.receivedMs, fork: false, body })
    this.#taken.set(placeOf(entry), head)
    return { verdict: { outcome: 'stored', receipt }, pending: true }
  }

  /** The receipt it got at first; a body that was missing is kept now. */
  async #had(entry: ReadHeader, body: Uint8Array | undefined, room: boolean): Promise<Judged> {
    const held = await this.#heldAt(entry)
    const { receipt } = held.head
    if (receipt === undefined) throw new GridError('E_IO', 'an entry is damaged here')
    const wanted = held.stored?.bodyBytes === undefined && held.stored !== undefined
    if (wanted && body !== undefined && room && this.#parts.refusal(false) === undefined) {
      if (isBodyOf(entry, body)) {
        const { receivedMs } = receipt
        this.#record(entry, { head: held.head, receivedMs, fork: false, body })
      }
    }
    return { verdict: { outcome: 'had', receipt }, pending: held.stored === undefined }
  }

  async #conflict(entry: ReadHeader, room: boolean, nowMs: number): Promise<Judged> {
    const { head, stored } = await this.#heldAt(entry)
    const { header, signature } = head
    const held: SignedHeader = { header, signature }
    if (room && this.#parts.refusal(false) === undefined && this.#isNews(entry)) {
      const evidence = { header: entry.header, signature: entry.signature, receipt: undefined }
      this.#record(entry, { head: evidence, receivedMs: nowMs, fork: true, body: undefined })
    }
    return { verdict: { outcome: 'conflict', held }, pending: stored === undefined }
  }

  /** Whether it is evidence that is not held yet, while its chain, and all together, have less than the most. */
  #isNews({ fields, id }: ReadHeader): boolean {
    const { stored } = this.#parts
    const held = stored.authors().flatMap((author) => stored.forks(author))
    const all = [...held, ...this.records.filter(({ fork }) => fork)]
    const known = all.filter(({ author }) => equalBytes(author, fields.author))
    if (known.length >= maxForkEvidence || all.length >= maxForksInAll) return false
    return !known.some((other) => equalBytes(other.id, id))
  }

  /** What is held in an entry's place; `stored` is undefined while it is not durable. */
  async #heldAt(entry: ReadHeader): Promise<{ head: EntryHead; stored: StoredEntry | undefined }> {
    const taken = this.#taken.get(placeOf(entry))
    if (taken !== undefined) return { head: taken, stored: undefined }
    const { author, seq } = entry.fields
    const stored = this.#parts.stored.chain(author)[seq - 1]
    const { head } = await this.#parts.stored.read(stored, false)
    return { head: parseEntryHead(head), stored }
  }

  #record(
    { fields, id }: ReadHeader,
    what: { head: EntryHead; receivedMs: number; fork: boolean; body: Uint8Array | undefined },
  ): void {
    const { author, seq } = fields
    this.records.push({ author, seq, id, ...what, head: formatEntryHead(what.head) })
  }
}

export function refused({ code, message }: GridError): AppendVerdict {
  return { outcome: 'refused', code, reason: message }
}

function placeOf({ fields }: ReadHeader): string {
  return `${toHex(fields.author)} ${fields.seq}`
}

function isBodyOf({ fields }: ReadHeader, body: Uint8Array): boolean {
  try {
    checkBody(fields, body)
    return true
  } catch (error) {
    if (isGridError(error, 'E_ENTRY')) return false
    throw error
  }
}
