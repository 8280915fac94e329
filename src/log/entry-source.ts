/**
 * Whole entries, with the receipts that vouch for them, gathered from those servers that have them:
 * what one that lags is handed.
 */
import type { Clock } from '../base/clock.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { type FetchedEntry, fetchChain } from './fetch-chain.ts'
import { type HandedEntry, type LogPeer, maxHandedReceipts } from './log-peer.ts'
import { isReceiptFor, type Receipt } from './receipt.ts'

export interface EntrySourceOptions {
  logId: Uint8Array
  clock: Clock
  /** Keys of the servers whose receipts count. */
  servers: readonly Uint8Array[]
  /** Receipts enough: f + 1. */
  receiptsWanted: number
}

/** Entries fetched at once; with the longest bodies but releases they fit one request. */
export const handedAtOnce = 32

export class EntrySource {
  readonly #options: EntrySourceOptions

  constructor(options: EntrySourceOptions) {
    this.#options = options
  }

  /**
   * Entries `firstSeq` … `lastSeq` of `author`, at most `handedAtOnce`, from `peers`; each is the
   * one whose id `idAt` gives. Throws E_ABSENT if none of them has one of these.
   */
  async entries(
    author: Uint8Array,
    { firstSeq, lastSeq }: { firstSeq: number; lastSeq: number },
    idAt: (seq: number) => Uint8Array,
    peers: readonly LogPeer[],
    options: { signal?: AbortSignal } = {},
  ): Promise<HandedEntry[]> {
    const found = new Map<number, HandedEntry & { receipts: Receipt[] }>()
    const range = { author, firstSeq, lastSeq }
    for (const peer of peers) {
      if (this.#isEnough(found, range)) break
      await this.#gather(peer, range, idAt, found, options)
    }
    const entries = []
    for (let seq = firstSeq; seq <= lastSeq; seq++) {
      const entry = found.get(seq)
      if (entry === undefined) throw new GridError('E_ABSENT', `nobody gives entry ${seq}`)
      entries.push(entry)
    }
    return entries
  }

  #isEnough(
    found: ReadonlyMap<number, HandedEntry>,
    { firstSeq, lastSeq }: { firstSeq: number; lastSeq: number },
  ): boolean {
    if (found.size < lastSeq - firstSeq + 1) return false
    const { receiptsWanted } = this.#options
    return [...found.values()].every(
      ({ body, receipts }) => body !== undefined && receipts.length >= receiptsWanted,
    )
  }

  async #gather(
    peer: LogPeer,
    range: { author: Uint8Array; firstSeq: number; lastSeq: number },
    idAt: (seq: number) => Uint8Array,
    found: Map<number, HandedEntry & { receipts: Receipt[] }>,
    { signal }: { signal?: AbortSignal },
  ): Promise<void> {
    const { logId, clock } = this.#options
    const wanted = { ...range, logId, bodies: 'all', receipts: true } as const
    try {
      for await (const entry of fetchChain(peer, wanted, { clock, signal })) {
        if (toHex(entry.id) === toHex(idAt(entry.fields.seq))) this.#add(entry, found)
      }
    } catch (error) {
      if (signal?.aborted || !isGridError(error)) throw error
    }
  }

  #add(entry: FetchedEntry, found: Map<number, HandedEntry & { receipts: Receipt[] }>): void {
    const { header, signature, body, receipt, id, fields } = entry
    const held = found.get(fields.seq) ?? { header, signature, body, receipts: [] }
    const { receipts } = held
    const { logId } = this.#options
    const isWanted = receipt !== undefined && this.#counts(receipt, receipts)
    if (isWanted && isReceiptFor({ logId, id }, receipt)) receipts.push(receipt)
    found.set(fields.seq, { ...held, body: held.body ?? body, receipts })
  }

  /** Only one of each server of the config vouches for an entry; a liar may show others' or made-up ones. */
  #counts({ node }: Receipt, receipts: readonly Receipt[]): boolean {
    const isOf = (key: Uint8Array): boolean => equalBytes(key, node)
    if (receipts.length >= maxHandedReceipts || receipts.some((each) => isOf(each.node)))
      return false
    return this.#options.servers.some(isOf)
  }
}
