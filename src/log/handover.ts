/**
 * Brings one server up to date: offers it an entry, and hands over in order whatever it turns out
 * to lack (docs/specs/log.md, "Appending").
 */
import type { Clock } from '../base/clock.ts'
import { orAbort, withDeadline } from '../base/deadline.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { plainText } from '../base/plain-text.ts'
import { readHeader } from './entry.ts'
import { EntrySource, handedAtOnce } from './entry-source.ts'
import { logRequestMs } from './fetch-chain.ts'
import { maxLiars } from './log-config.ts'
import type { AppendReply, AppendVerdict, HandedEntry, LogPeer } from './log-peer.ts'
import type { LogView } from './log-view.ts'
import type { VerifiedChain } from './verified-chain.ts'

/** A chain as its holder knows it, to be handed on. */
export type KnownChain = Pick<VerifiedChain, 'author' | 'seq' | 'chain'>

export interface HandoverOptions {
  logId: Uint8Array
  genesis: Uint8Array
  clock: Clock
  source: EntrySource
  /** Whom missing entries are fetched from. */
  peers: () => readonly LogPeer[]
  /** The admin's chain, without which no other is taken; undefined while it is empty. */
  admin: () => KnownChain | undefined
}

export interface ViewHandoverOptions {
  clock: Clock
  peers: () => readonly LogPeer[]
  admin?: () => KnownChain | undefined
}

/** What is needed to hand on a log as it was read. */
export function handoverOf(view: LogView, { clock, peers, admin }: ViewHandoverOptions): Handover {
  const { logId, genesisBytes, genesis, rules } = view
  const { servers } = rules.config
  const receiptsWanted = maxLiars(servers.length) + 1
  return new Handover({
    logId,
    genesis: genesisBytes,
    clock,
    source: new EntrySource({ logId, clock, servers, receiptsWanted }),
    peers,
    admin: admin ?? (() => view.chainOf(genesis.adminKey)?.chain),
  })
}

/** What came of an entry that was offered. */
export interface Offered extends Pick<AppendReply, 'adminSeq'> {
  verdict: AppendVerdict
}

/** Entries that a server takes behind each other in one offer, and turns: more is no progress. */
const maxTurns = 8

export class Handover {
  readonly #options: HandoverOptions

  constructor(options: HandoverOptions) {
    this.#options = options
  }

  /**
   * Offers `entry`, the next of `chain` or one it holds, and what is missing before it. The verdict
   * on the entry itself, and what came with it; E_TIMEOUT and the like are thrown.
   */
  async offer(
    peer: LogPeer,
    entry: HandedEntry,
    chain: KnownChain,
    options: { signal?: AbortSignal } = {},
  ): Promise<Offered> {
    const { seq } = readHeader(entry).fields
    let isAdminHanded = false
    let genesis: Uint8Array | undefined
    for (let turn = 0; turn < maxTurns; turn++) {
      const reply = await this.#append(peer, [entry], genesis, options)
      if (reply === undefined) {
        genesis = this.#options.genesis
        continue
      }
      const { adminSeq } = reply
      const [verdict] = reply.verdicts
      if (verdict.outcome === 'gap') {
        if (verdict.headSeq >= seq - 1) throw unreasonable()
        await this.#hand(peer, chain, verdict.headSeq + 1, seq - 1, options)
      } else if (isForWantOfAdmin(verdict) && !isAdminHanded) {
        isAdminHanded = true
        await this.#handAdmin(peer, options)
      } else return { verdict, adminSeq }
    }
    throw unreasonable()
  }

  /** Hands over entries `firstSeq` … `lastSeq` of `chain`. Throws what keeps the server from taking them. */
  async bring(
    peer: LogPeer,
    chain: KnownChain,
    { firstSeq, lastSeq }: { firstSeq: number; lastSeq: number },
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    await this.#hand(peer, chain, firstSeq, lastSeq, options)
  }

  /** Gives `peer` the genesis, which it may have already. Throws if it does not keep the log. */
  async found(peer: LogPeer, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { logId, genesis, clock } = this.#options
    const request = { logId, genesis, entries: [] }
    const ask = (inner: AbortSignal) =>
      orAbort(peer.appendEntries(request, { signal: inner }), inner)
    await withDeadline(clock, logRequestMs, ask, { signal })
  }

  async #handAdmin(peer: LogPeer, options: { signal?: AbortSignal }): Promise<void> {
    const admin = this.#options.admin()
    if (admin === undefined || admin.seq === 0) return
    const [head] = await this.#fetch(admin, admin.seq, admin.seq, options)
    const { verdict } = await this.offer(peer, head, admin, options)
    if (verdict.outcome !== 'stored' && verdict.outcome !== 'had') throw refusedOver(verdict)
  }

  async #hand(
    peer: LogPeer,
    chain: KnownChain,
    firstSeq: number,
    lastSeq: number,
    options: { signal?: AbortSignal },
  ): Promise<void> {
    let genesis: Uint8Array | undefined
    let isAdminHanded = false
    for (let at = firstSeq; at <= lastSeq;) {
      const end = Math.min(lastSeq, at + handedAtOnce - 1)
      const entries = await this.#fetch(chain, at, end, options)
      const reply = await this.#append(peer, entries, genesis, options)
      if (reply === undefined) {
        if (genesis !== undefined) throw unreasonable()
        genesis = this.#options.genesis
        continue
      }
      const { verdicts } = reply
      const taken = verdicts.findIndex(({ outcome }) => outcome !== 'stored' && outcome !== 'had')
      if (taken < 0) {
        // a server may stop early
        at += verdicts.length
        continue
      }
      const verdict = verdicts[taken]
      // once: a server that asks for it again and again would never be done with
      const isWanting = isForWantOfAdmin(verdict) && chain !== this.#options.admin()
      if (!isWanting || isAdminHanded) throw refusedOver(verdict)
      isAdminHanded = true
      await this.#handAdmin(peer, options)
    }
  }

  async #fetch(
    { author, chain }: KnownChain,
    firstSeq: number,
    lastSeq: number,
    options: { signal?: AbortSignal },
  ): Promise<HandedEntry[]> {
    const { source, peers } = this.#options
    const idAt = (seq: number) => chain.idAt(seq)
    return source.entries(author, { firstSeq, lastSeq }, idAt, peers(), options)
  }

  /** One verdict at least; undefined if the log is unknown there. */
  async #append(
    peer: LogPeer,
    entries: readonly HandedEntry[],
    genesis: Uint8Array | undefined,
    { signal }: { signal?: AbortSignal },
  ): Promise<AppendReply | undefined> {
    const { logId, clock } = this.#options
    const request = { logId, genesis, entries }
    const ask = (inner: AbortSignal) =>
      orAbort(peer.appendEntries(request, { signal: inner }), inner)
    try {
      const reply = await withDeadline(clock, logRequestMs, ask, { signal })
      const { length } = reply.verdicts
      if (length === 0 || length > entries.length) throw unreasonable()
      return reply
    } catch (error) {
      if (isGridError(error, 'E_ABSENT') && genesis === undefined) return undefined
      throw error
    }
  }
}

/** A server that lags in the admin's chain knows no certificate, or not the newest config. */
function isForWantOfAdmin(verdict: AppendVerdict): boolean {
  return verdict.outcome === 'refused' && verdict.code === 'E_CERTIFICATE'
}

function refusedOver(verdict: AppendVerdict): GridError {
  if (verdict.outcome === 'refused') return new GridError(verdict.code, plainText(verdict.reason))
  if (verdict.outcome === 'conflict') {
    return new GridError('E_FORKED', 'the server holds another version of a chain')
  }
  return unreasonable()
}

function unreasonable(): GridError {
  return new GridError('E_PROTOCOL', 'a server answers appends in a way that leads nowhere')
}
