/**
 * When entries were received, by the word of servers and not of whoever wrote them
 * (docs/specs/log.md, "Receipt"): of q receipts at most f lie, so the f-th of their times in order,
 * counted from 0, is one that an honest server could have given.
 */
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { isGridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import type { ReadHeader } from './entry.ts'
import { fetchChain } from './fetch-chain.ts'
import { type LogConfig, maxLiars, quorumOf } from './log-config.ts'
import type { LogPeer } from './log-peer.ts'
import { isReceiptFor, type Receipt } from './receipt.ts'

export interface ReceiptSources {
  logId: Uint8Array
  /** All that there were, in their order: an entry counts by the newest that a quorum vouches in. */
  configs: readonly LogConfig[]
  /** Those of them that are worth asking. */
  peers: readonly LogPeer[]
  clock: Clock
  signal?: AbortSignal
}

/** Times by the hex of the entry's id, in milliseconds since 1970; none for what has too few receipts. */
export async function fetchReceiptTimes(
  entries: readonly ReadHeader[],
  sources: ReceiptSources,
): Promise<Map<string, number>> {
  const collecting = new Collecting(entries, sources)
  const stop = new AbortController()
  const signal =
    sources.signal === undefined ? stop.signal : AbortSignal.any([sources.signal, stop.signal])
  const asked = sources.peers.map(async (peer) => {
    await collecting.ask(peer, signal)
    // servers that are slow, or that hang, are not waited for
    if (collecting.isEnough) stop.abort()
  })
  await Promise.allSettled(asked)
  sources.signal?.throwIfAborted()
  return collecting.times
}

/** The time that `receipts` of one entry vouch for; undefined if no quorum of `config` has given any. */
export function receiptTimeOf(
  receipts: readonly Receipt[],
  { servers }: Pick<LogConfig, 'servers'>,
): number | undefined {
  const keys = new Set(servers.map(toHex))
  const byServer = new Map<string, number>()
  for (const { node, late, receivedMs } of receipts)
    if (!late && keys.has(toHex(node))) byServer.set(toHex(node), receivedMs)
  const times = [...byServer.values()].sort((a, b) => a - b)
  return times.length < quorumOf(servers.length) ? undefined : times[maxLiars(servers.length)]
}

/** A chain, and the entries of it that are wanted. */
interface Wanted {
  author: Uint8Array
  firstSeq: number
  lastSeq: number
}

class Collecting {
  readonly #sources: ReceiptSources
  readonly #chains = new Map<string, Wanted>()
  readonly #receipts: Map<string, Receipt[]>

  constructor(entries: readonly ReadHeader[], sources: ReceiptSources) {
    this.#sources = sources
    this.#receipts = new Map(entries.map(({ id }) => [toHex(id), []]))
    for (const { fields } of entries) {
      const { author, seq } = fields
      const { firstSeq, lastSeq } = this.#chains.get(toHex(author)) ?? fieldsOf(seq)
      const range = { firstSeq: Math.min(firstSeq, seq), lastSeq: Math.max(lastSeq, seq) }
      this.#chains.set(toHex(author), { author, ...range })
    }
  }

  /** Takes what a server has; one that has only some of it, or fails, counts for what it gave. */
  async ask(peer: LogPeer, signal: AbortSignal): Promise<void> {
    const { logId, clock } = this.#sources
    try {
      for (const range of this.#chains.values()) {
        const wanted = { ...range, logId, bodies: 'none', receipts: true } as const
        for await (const { id, receipt } of fetchChain(peer, wanted, { clock, signal })) {
          const known = this.#receipts.get(toHex(id))
          const isOwn = receipt !== undefined && peerIdOf(receipt.node) === peer.id
          if (known !== undefined && isOwn && isReceiptFor({ logId, id }, receipt))
            known.push(receipt)
        }
      }
    } catch (error) {
      if (!isGridError(error) && !signal.aborted) throw error
    }
  }

  get times(): Map<string, number> {
    const times = new Map<string, number>()
    for (const [id, receipts] of this.#receipts) {
      const time = this.#timeOf(receipts)
      if (time !== undefined) times.set(id, time)
    }
    return times
  }

  get isEnough(): boolean {
    return [...this.#receipts.values()].every((each) => this.#timeOf(each) !== undefined)
  }

  #timeOf(receipts: readonly Receipt[]): number | undefined {
    const { configs } = this.#sources
    for (let i = configs.length - 1; i >= 0; i--) {
      const time = receiptTimeOf(receipts, configs[i])
      if (time !== undefined) return time
    }
    return undefined
  }
}

function fieldsOf(seq: number): Omit<Wanted, 'author'> {
  return { firstSeq: seq, lastSeq: seq }
}
