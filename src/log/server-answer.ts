/** What one server answers when it is asked for the heads of a log: a claim, and how it bears out. */
import { setMaxListeners } from 'node:events'
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { orAbort, withDeadline } from '../base/deadline.ts'
import { asGridError, GridError } from '../base/errors.ts'
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

/** What is waited for the others once enough have answered. */
const graceMs = 1000

/**
 * Asks all at once. Those that have not answered a second after enough did are as good as silent, so
 * that one that has stopped holds nobody up.
 *
 * @param options.isEnough - whether these answers are a quorum; some may be failures
 */
export async function askServers(
  peers: readonly LogPeer[],
  question: { logId: Uint8Array; genesis: boolean },
  options: {
    clock: Clock
    isEnough: (answers: readonly ServerAnswer[]) => boolean
    signal?: AbortSignal
  },
): Promise<ServerAnswer[]> {
  const { clock, isEnough, signal } = options
  const answers = new Map<LogPeer, ServerAnswer>()
  const hurry = new AbortController()
  // every server listens to it
  setMaxListeners(0, hurry.signal)
  let cancel: (() => void) | undefined
  const asked = peers.map(async (peer) => {
    const inner = signal === undefined ? hurry.signal : AbortSignal.any([signal, hurry.signal])
    const answer = await askServer(peer, question, { clock, signal: inner })
    if (hurry.signal.aborted) return
    answers.set(peer, answer)
    if (cancel !== undefined || answers.size === peers.length) return
    if (!isEnough([...answers.values()])) return
    cancel = clock.after(graceMs, () => hurry.abort(silence()))
  })
  try {
    await Promise.all(asked)
  } finally {
    cancel?.()
  }
  signal?.throwIfAborted()
  return peers.map((peer) => answers.get(peer) ?? nothing(peer, silence()))
}

/** Asks for heads, forks and, if wanted, the genesis. Never rejects. */
async function askServer(
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
    return nothing(peer, asGridError(error, 'E_PROTOCOL', 'a log server'))
  }
}

function nothing(peer: LogPeer, error: GridError): ServerAnswer {
  return { peer, heads: new Map(), forks: [], genesis: undefined, error }
}

function silence(): GridError {
  return new GridError('E_TIMEOUT', 'it did not answer while most others did')
}
