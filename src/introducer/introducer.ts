/**
 * An introducer: keeps what nodes announce and tells it to whoever asks (docs/specs/introducer.md).
 * It decides nothing: what it passes on is signed by others, and clients check it again.
 */
import { Bell } from '../base/bell.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { KeptAt } from '../base/kept-file.ts'
import type { Budget } from '../base/limit.ts'
import { parseTcpAddress } from '../base/multiaddr.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { answer, type Verb, type Verbs } from '../wire/answerer.ts'
import { readAnnouncement } from './announcement.ts'
import { Directory } from './directory.ts'
import { DirectoryKeeper } from './directory-keeper.ts'
import {
  formatListReply,
  type ListReply,
  type ListRequest,
  listVerb,
  maxNodes,
  maxPageBytes,
  parseListRequest,
  parsePublish,
  publishVerb,
} from './protocol.ts'

export interface IntroducerOptions {
  gridName: string
  clock: Clock
  /** Shared by all channels of the server. */
  budget: Budget
  trace?: Trace
  /** Where the list survives a restart; without it nodes announce themselves anew. */
  keptAt?: KeptAt
  /** Nodes that one network address may announce; 64 unless told. */
  maxNodesOfAddress?: number
}

const requestDeadlineMs = 60_000
/** Of one channel: an honest node publishes once an hour, and lists about once in two seconds. */
const publishRate = { tokensPerSecond: 0.1, burst: 10 }
const listRate = { tokensPerSecond: 5, burst: 200 }

export class Introducer {
  readonly #clock: Clock
  readonly #budget: Budget
  readonly #trace: Trace
  readonly #directory: Directory
  readonly #keeper: DirectoryKeeper
  readonly #published = new Bell()

  private constructor(options: IntroducerOptions) {
    this.#clock = options.clock
    this.#budget = options.budget
    this.#trace = options.trace ?? noTrace
    this.#directory = new Directory({
      gridName: options.gridName,
      maxNodes,
      maxNodesOfSource: options.maxNodesOfAddress ?? 64,
      keepExpiredMs: 0,
    })
    this.#keeper = new DirectoryKeeper(this.#directory, options)
  }

  /** Starts with the list it kept. */
  static async open(options: IntroducerOptions): Promise<Introducer> {
    const introducer = new Introducer(options)
    await introducer.#keeper.load()
    return introducer
  }

  get nodeCount(): number {
    return this.#directory.size
  }

  /** Answers one node until its channel ends; give it to `Net.handle` under `introducerProtocol`. */
  async serve(channel: Channel): Promise<void> {
    const options = { clock: this.#clock, budget: this.#budget, trace: this.#trace }
    await answer(channel, this.#verbs(channel), options)
  }

  /** Resolves when the list is on disk. Channels are ended by whoever owns them. */
  async close(): Promise<void> {
    await this.#keeper.close()
  }

  #verbs(channel: Channel): Verbs {
    const publishes = new TokenBucket({ clock: this.#clock, ...publishRate })
    const lists = new TokenBucket({ clock: this.#clock, ...listRate })
    const publish: Verb<Uint8Array> = {
      deadlineMs: requestDeadlineMs,
      parse: parsePublish,
      handle: async (bytes) => {
        admit(publishes)
        this.#publish(bytes, channel)
        return { facts: 0 }
      },
    }
    const list: Verb<ListRequest> = {
      deadlineMs: requestDeadlineMs,
      parse: parseListRequest,
      handle: async (request, _body, { signal }) => {
        admit(lists)
        return { facts: formatListReply(await this.#list(request, signal)) }
      },
    }
    return new Map<string, Verb<unknown>>([
      [publishVerb, publish],
      [listVerb, list],
    ])
  }

  /**
   * Takes an announcement from the node itself and from nobody else: so nobody replays one, and
   * each node costs its own connection.
   */
  #publish(bytes: Uint8Array, { remoteId, remoteAddress = '' }: Channel): void {
    const announcement = readAnnouncement(bytes)
    if (announcement.nodeId !== remoteId) {
      throw new GridError('E_FORBIDDEN', 'a node announces itself only')
    }
    const source = parseTcpAddress(remoteAddress)?.host ?? remoteAddress
    const verdict = this.#directory.accept(announcement, source, this.#clock.nowMs())
    switch (verdict) {
      case 'new':
      case 'newer':
        this.#keeper.changed()
        this.#published.ring()
        return
      case 'known':
        return
      case 'full':
        throw new GridError('E_FULL', 'no room for more nodes')
      default:
        throw new GridError('E_ANNOUNCEMENT', refusals[verdict])
    }
  }

  async #list({ cursor, waitMs }: ListRequest, signal: AbortSignal): Promise<ListReply> {
    if (cursor > this.#directory.cursor) {
      throw new GridError('E_BAD_REQUEST', 'no such cursor was given out')
    }
    if (cursor === this.#directory.cursor && waitMs > 0) await this.#news(waitMs, signal)
    this.#directory.purge(this.#clock.nowMs())
    const announcements: Uint8Array[] = []
    let last = cursor
    let pageBytes = 0
    for (const { announcement, change } of this.#directory.since(cursor)) {
      pageBytes += announcement.bytes.length
      if (pageBytes > maxPageBytes) return { cursor: last, complete: false, announcements }
      announcements.push(announcement.bytes)
      last = change
    }
    return { cursor: this.#directory.cursor, complete: true, announcements }
  }

  /** Resolves when something was published, or after `waitMs`. */
  async #news(waitMs: number, signal: AbortSignal): Promise<void> {
    try {
      const wait = (until: AbortSignal): Promise<void> => this.#published.next({ signal: until })
      await withDeadline(this.#clock, waitMs, wait, { signal })
    } catch (error) {
      if (signal.aborted || !isGridError(error, 'E_TIMEOUT')) throw error
    }
  }
}

const refusals = {
  older: 'a newer announcement of this node is known',
  expired: 'it has expired',
  'other-grid': 'it is for another grid',
} as const

function admit(bucket: TokenBucket): void {
  if (!bucket.tryTake(1)) throw new GridError('E_RATE', 'too many requests of this kind')
}
