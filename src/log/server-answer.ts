/** What one server answers when it is asked for the heads of a log: a claim, and how it bears out. */
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { orAbort, withDeadline } from '../base/deadline.ts'
import { asGridError, type GridError } from '../base/errors.ts'
import { logRequestMs } from './fetch-chain.ts'
import {
  type ChainHead,
  type ForkEvidence,
  type LogPeer,
  maxChains,
  minReadBytes,
} from './log-peer.ts'

/** Fork evidence that is looked at, of one answer. */
const maxForks = 64

export interface ServerAnswer {
  readonly peer: LogPeer
  /** By the hex of the author; not verified. */
  readonly heads: ReadonlyMap<string, ChainHead>
  readonly forks: readonly ForkEvidence[]
  readonly genesis: Uint8Array | undefined
  /** Why it does not count: no answer, or one that did not bear out. */
  error: GridError | undefined
}

/** Asks for heads, forks and, if wanted, the genesis. Never rejects but for the caller's signal. */
export async function askServer(
  peer: LogPeer,
  { logId, genesis }: { logId: Uint8Array; genesis: boolean },
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<ServerAnswer> {
  const request = {
    logId,
    genesis,
    ranges: [],
    others: false,
    bodies: 'none',
    receipts: false,
    maxBytes: minReadBytes,
  } as const
  const ask = (inner: AbortSignal) => orAbort(peer.readLog(request, { signal: inner }), inner)
  try {
    const reply = await withDeadline(clock, logRequestMs, ask, { signal })
    const heads = reply.heads.slice(0, maxChains).map((head) => [toHex(head.author), head] as const)
    return {
      peer,
      heads: new Map(heads),
      forks: reply.forks.slice(0, maxForks),
      genesis: reply.genesis,
      error: undefined,
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason as Error
    const cause = asGridError(error, 'E_PROTOCOL', 'a log server')
    return { peer, heads: new Map(), forks: [], genesis: undefined, error: cause }
  }
}
