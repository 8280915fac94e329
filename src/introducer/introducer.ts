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
import { originOf } from '../base/multiaddr.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { answer, type Verb, type Verbs } from '../wire/answerer.ts'
import { type Announcement, readAnnouncement } from './announcement.ts'
import { Directory, type Verdict } from './directory.ts'
import { DirectoryKeeper } from './directory-keeper.ts'
import {
  formatListReply,
  formatRevoked,
  type ListReply,
  type ListRequest,
  listVerb,
  maxNodes,
  maxPageBytes,
  parseListRequest,
  parsePublish,
  parseRevokedRequest,
  publishVerb,
  type RevokedNews,
  revokedVerb,
} from './protocol.ts'
import type { RevocationShelf } from './revocation-shelf.ts'

export interface IntroducerOptions {
  gridName: string
  clock: Clock
  /** Shared by all channels of the server. */
  budget: Budget
  trace?: Trace
  /** Where the list survives a restart; without it nodes announce themselves anew. */
  keptAt?: KeptAt
  /** Nodes that one network address, of IPv6 a /64, may announce; 64 unless told. */
  maxNodesOfAddress?: number
  /** Peer ids of other introducers, whose word for a node is taken as the node's own. */
  others?: readonly string[]
  /** Where the list of revoked members lies; without it none is passed on. */
  revocations?: RevocationShelf
}

const requestDeadlineMs = 60_000
/** Of one channel: an honest node publishes once an hour, and lists about once in two seconds. */
const publishRate = { tokensPerSecond: 0.1, burst: 10 }
const listRate = { tokensPerSecond: 5, burst: 200 }
const revokedRate = { tokensPerSecond: 2, burst: 20 }

export class Introducer {
  readonly #clock: Clock
  readonly #budget: Budget
  readonly #trace: Trace
  readonly #directory: Directory
  readonly #keeper: DirectoryKeeper
  readonly #published = new Bell()
  readonly #others: ReadonlySet<string>
  readonly #revocations: RevocationShelf | undefined

  private constructor(options: IntroducerOptions) {
    const { others = [], maxNodesOfAddress = 64 } = options
    this.#others = new Set(others)
    this.#revocations = options.revocations
    const maxNodesOfOther = Math.floor(maxNodes / (this.#others.size + 1))
    this.#clock = options.clock
    this.#budget = options.budget
    this.#trace = options.trace ?? noTrace
    this.#directory = new Directory({
      gridName: options.gridName,
      maxNodes,
      maxNodesOfSource: (source) =>
        this.#others.has(source) ? maxNodesOfOther : maxNodesOfAddress,
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

  /**
   * Takes what another introducer names, as far as its share goes; from nobody but those that this one
   * was told of, over connections that it made itself.
   */
  hear(announcement: Announcement, introducerId: string): void {
    if (!this.#others.has(introducerId)) return
    this.#accept(announcement, introducerId)
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
    const exchanges = new TokenBucket({ clock: this.#clock, ...revokedRate })
    const revoked: Verb<RevokedNews> = {
      deadlineMs: requestDeadlineMs,
      parse: parseRevokedRequest,
      handle: async (news) => {
        admit(exchanges)
        return { facts: formatRevoked(await this.#exchange(news)) }
      },
    }
    return new Map<string, Verb<unknown>>([
      [publishVerb, publish],
      [listVerb, list],
      [revokedVerb, revoked],
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
    const verdict = this.#accept(announcement, originOf(remoteAddress))
    switch (verdict) {
      case 'new':
      case 'newer':
      case 'known':
        return
      case 'full':
        throw new GridError('E_FULL', 'no room for more nodes')
      default:
        throw new GridError('E_ANNOUNCEMENT', refusals[verdict])
    }
  }

  #accept(announcement: Announcement, source: string): Verdict {
    const verdict = this.#directory.accept(announcement, source, this.#clock.nowMs())
    if (verdict === 'new' || verdict === 'newer') {
      this.#keeper.changed()
      this.#published.ring()
    }
    return verdict
  }

  /** Both sides end with the newer list: it is signed, so it does not matter who brought it. */
  async #exchange({ seq, list }: RevokedNews): Promise<RevokedNews> {
    const shelf = this.#revocations
    if (shelf === undefined) return { seq: 0, list: noBytes }
    if (list.length > 0 && seq > shelf.seq) await shelf.hear(list)
    return { seq: shelf.seq, list: shelf.seq > seq ? (shelf.bytes ?? noBytes) : noBytes }
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

const noBytes = new Uint8Array(0)

const refusals = {
  older: 'a newer announcement of this node is known',
  expired: 'it has expired',
  'other-grid': 'it is for another grid',
} as const

function admit(bucket: TokenBucket): void {
  if (!bucket.tryTake(1)) throw new GridError('E_RATE', 'too many requests of this kind')
}
