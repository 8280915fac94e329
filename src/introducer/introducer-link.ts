/**
 * A client's tie to one introducer: connects, gives it this node's announcement, listens for those of
 * others, and begins again whenever that fails (docs/specs/introducer.md, "Client").
 */
import { type Clock, sleep } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { asGridError, GridError, isGridError } from '../base/errors.ts'
import type { Net, PeerTarget } from '../base/net.ts'
import { type Random, randomBelow } from '../base/random.ts'
import type { Trace } from '../base/trace.ts'
import { type Caller, openCaller } from '../wire/caller.ts'
import type { Announcement } from './announcement.ts'
import type { Announcer } from './announcer.ts'
import {
  formatListRequest,
  formatPublish,
  formatRevoked,
  introducerProtocol,
  listVerb,
  maxNodes,
  maxWaitMs,
  parseListReply,
  parseRevokedReply,
  publishVerb,
  revokedVerb,
} from './protocol.ts'
import type { RevocationShelf } from './revocation-shelf.ts'

export interface LinkOptions {
  target: PeerTarget
  net: Net
  clock: Clock
  random: Random
  trace: Trace
  announcer: Announcer | undefined
  /** Where the list of revoked members lies; undefined where there is none to exchange. */
  revocations: RevocationShelf | undefined
  /** The introducer names no node yet: a new connection begins. */
  onConnected: () => void
  /** It named these nodes; not verified. */
  onNews: (announcements: readonly Uint8Array[]) => void
  /** It has named all it knows. */
  onListed: () => void
}

export interface LinkStatus {
  /** Whether it has told all it knows over a connection that still stands. */
  listening: boolean
  /** Wall time of when it last had told all it knows. */
  listedAtMs: number | undefined
  /** Why the last connection ended or could not be made; undefined while listening. */
  failure: GridError | undefined
}

const dialMs = 15_000
const requestMs = 60_000
const firstRetryMs = 1_000
const lastRetryMs = 300_000
/** News come in crowds: a pause after each answer lets one request fetch them. */
const pauseMs = 1_000
/** An introducer that refused our announcement may take it later. */
const refusedPauseMs = 60_000

export class IntroducerLink {
  /** Resolves when the introducer has told all it knows, or has failed, for the first time. */
  readonly tried: Promise<void>
  readonly #options: LinkOptions
  #onTried!: () => void
  #failures = 0
  #status: LinkStatus = { listening: false, listedAtMs: undefined, failure: undefined }

  constructor(options: LinkOptions) {
    this.#options = options
    this.tried = new Promise((resolve) => (this.#onTried = resolve))
  }

  get status(): LinkStatus {
    return this.#status
  }

  /** Keeps the link until the signal aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, trace, target } = this.#options
    while (!signal.aborted) {
      try {
        await this.#connect(signal)
      } catch (error) {
        if (signal.aborted) break
        const failure = asGridError(error, 'E_INTERNAL', 'introducer')
        this.#status = { ...this.#status, listening: false, failure }
        trace.event('introducer.lost', { introducer: target.id, why: failure.message })
        this.#onTried()
        const pause = sleep(clock, retryMs(this.#failures++, random), { signal })
        // the loop's head sees an abort
        await pause.catch(() => {})
      }
    }
    this.#onTried()
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const { net, clock, target } = this.#options
    const dial = (until: AbortSignal): Promise<Caller> =>
      net
        .dial(target, introducerProtocol, { signal: until })
        .then((channel) => openCaller(channel, { clock, signal: until }))
    const caller = await withDeadline(clock, dialMs, dial, { signal })
    const ending = new AbortController()
    const options = { signal: AbortSignal.any([signal, ending.signal]) }
    const tasks = [this.#listen(caller, options), this.#publish(caller, options)]
    try {
      await Promise.all(tasks)
    } finally {
      ending.abort()
      caller.close()
      await Promise.allSettled(tasks)
    }
  }

  async #listen(caller: Caller, options: { signal: AbortSignal }): Promise<void> {
    const { clock, onConnected, onNews, onListed } = this.#options
    onConnected()
    let cursor = 0
    let count = 0
    for (let listed = false; ;) {
      await this.#exchangeRevoked(caller, options)
      const request = { cursor, waitMs: listed ? maxWaitMs : 0 }
      const args = formatListRequest(request)
      const { facts } = await caller.call(listVerb, args, { deadlineMs: requestMs, ...options })
      const reply = parseListReply(facts, request)
      cursor = reply.cursor
      count += reply.announcements.length
      // a node that changes meanwhile is named twice
      if (!listed && count > 2 * maxNodes) {
        throw new GridError('E_PROTOCOL', `the introducer names more than ${maxNodes} nodes`)
      }
      onNews(reply.announcements)
      if (reply.complete && !listed) {
        listed = true
        this.#failures = 0
        this.#status = { listening: true, listedAtMs: clock.nowMs(), failure: undefined }
        onListed()
        this.#onTried()
      }
      if (listed) await sleep(clock, pauseMs, options)
    }
  }

  /** Before a list, so that whoever acts on it knows whom not to. */
  async #exchangeRevoked(caller: Caller, options: { signal: AbortSignal }): Promise<void> {
    const { revocations } = this.#options
    if (revocations === undefined) return
    const exchange = async (list: Uint8Array): Promise<number> => {
      const args = formatRevoked({ seq: revocations.seq, list })
      const { facts } = await caller.call(revokedVerb, args, { deadlineMs: requestMs, ...options })
      const news = parseRevokedReply(facts)
      if (news.list.length > 0) await revocations.hear(news.list)
      return news.seq
    }
    try {
      const theirs = await exchange(new Uint8Array(0))
      const ours = revocations.bytes
      if (ours !== undefined && theirs < revocations.seq) await exchange(ours)
    } catch (error) {
      // introducers of before there were members pass none on
      if (!isGridError(error, 'E_UNKNOWN_VERB', 'E_RATE', 'E_BUSY')) throw error
    }
  }

  async #publish(caller: Caller, options: { signal: AbortSignal }): Promise<void> {
    const { announcer, clock, trace, target } = this.#options
    if (announcer === undefined) return
    for (let given: Announcement | undefined; ;) {
      const next = await announcer.next(given, options)
      try {
        const args = formatPublish(next.bytes)
        await caller.call(publishVerb, args, { deadlineMs: requestMs, ...options })
        given = next
      } catch (error) {
        if (!isGridError(error, ...refusals)) throw error
        trace.event('introducer.refused', { introducer: target.id, code: error.code })
        await sleep(clock, refusedPauseMs, options)
      }
    }
  }
}

/** Answers that leave the connection good for listening. */
const refusals = ['E_ANNOUNCEMENT', 'E_FORBIDDEN', 'E_FULL', 'E_RATE', 'E_BUSY'] as const

/** From half a second to five minutes, and never all clients at once. */
export function retryMs(failures: number, random: Random): number {
  const most = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures, 30))
  return most / 2 + randomBelow(random, Math.ceil(most / 2))
}
