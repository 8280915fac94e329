/**
 * What a client knows of its grid: the nodes that any of its introducers has named, and those it knew
 * before, kept on disk. It goes on from what it knows while introducers fail, lie or are gone
 * (docs/specs/introducer.md, "Client").
 */
import type { Clock } from '../base/clock.ts'
import { isGridError } from '../base/errors.ts'
import type { KeptAt } from '../base/kept-file.ts'
import type { Net, PeerTarget } from '../base/net.ts'
import type { Random } from '../base/random.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { addressScope, usableAddresses } from './address-scope.ts'
import { type Announcement, type NodeFacts, readAnnouncement } from './announcement.ts'
import type { Announcer } from './announcer.ts'
import { Directory, type DirectoryEntry } from './directory.ts'
import { DirectoryKeeper } from './directory-keeper.ts'
import { IntroducerLink, type LinkStatus } from './introducer-link.ts'
import { maxNodes } from './protocol.ts'
import type { RevocationShelf } from './revocation-shelf.ts'

export interface SubscriberOptions {
  gridName: string
  /** Any number, none too. */
  introducers: readonly PeerTarget[]
  net: Net
  clock: Clock
  random: Random
  trace?: Trace
  /** Whether announced addresses of loopback and private networks are believed, and names. */
  allowPrivateAddresses: boolean
  /** Where the list survives a restart. */
  keptAt?: KeptAt
  /** Announces this node too; closed with the subscriber. */
  announcer?: Announcer
  /** Where the list of revoked members lies, to be exchanged with the introducers. */
  revocations?: RevocationShelf
  /** Called after every change of `nodes`. */
  onChange?: () => void
  /** Called with each announcement that counts, and the introducer that named it: for one who passes it on. */
  onAnnouncement?: (announcement: Announcement, introducerId: string) => void
}

/** A node that was announced. That its key signed is certain, and nothing else. */
export interface KnownNode {
  /** Peer id. */
  id: string
  /** Those of its addresses that may be dialled; may be none. */
  addresses: string[]
  facts: NodeFacts
  /** What it announced to show that it is a member, not looked into. */
  certificate: Uint8Array | undefined
  /** Its announcement has expired, and no introducer has a newer one. */
  stale: boolean
  /** It is stale, which tells nothing: an introducer that named it, or every one, is out of reach. */
  unheard: boolean
}

export interface IntroducerStatus extends LinkStatus {
  id: string
  /** Nodes that it names now. */
  named: number
  /** Nodes that it named before, with announcements that still hold, and leaves out now. */
  missing: number
}

const keepExpiredMs = 90 * 24 * 3600 * 1000
/** An introducer that leaves out more than this part of what it named before is reported. */
const shrinkLimit = 0.3

interface Source {
  readonly link: IntroducerLink
  /** Node ids named since it was last connected to. */
  readonly named: Set<string>
}

export class Subscriber {
  readonly #options: SubscriberOptions
  readonly #trace: Trace
  readonly #directory: Directory
  readonly #keeper: DirectoryKeeper
  readonly #sources = new Map<string, Source>()
  /** Introducers that are surely reached over a private network: those may name its addresses. */
  readonly #privateSources: ReadonlySet<string>
  readonly #closing = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  private constructor(options: SubscriberOptions) {
    const { gridName, introducers } = options
    this.#options = options
    this.#trace = options.trace ?? noTrace
    this.#directory = new Directory({
      gridName,
      maxNodes,
      maxNodesOfSource: Math.floor(maxNodes / (introducers.length + 1)),
      keepExpiredMs,
    })
    this.#keeper = new DirectoryKeeper(this.#directory, options)
    this.#privateSources = new Set(introducers.filter(isPrivate).map(({ id }) => id))
    for (const target of introducers) this.#sources.set(target.id, this.#source(target))
  }

  /** Starts with the kept list, then with all introducers at once. */
  static async open(options: SubscriberOptions): Promise<Subscriber> {
    const subscriber = new Subscriber(options)
    await subscriber.#keeper.load()
    subscriber.#start()
    return subscriber
  }

  /** Nodes by the time of their last change, this one excepted. */
  nodes(): KnownNode[] {
    const nowMs = this.#options.clock.nowMs()
    const own = this.#options.announcer?.nodeId
    return [...this.#directory.since(0)]
      .filter(({ announcement }) => announcement.nodeId !== own)
      .map((entry) => ({
        id: entry.announcement.nodeId,
        addresses: usableAddresses(entry.announcement.addresses, {
          allowPrivate: this.#mayBePrivate(entry),
        }),
        facts: entry.announcement.facts,
        certificate: entry.announcement.certificate,
        stale: entry.untilMs <= nowMs,
        unheard: entry.untilMs <= nowMs && !this.#isTold(entry),
      }))
  }

  introducers(): IntroducerStatus[] {
    return Array.from(this.#sources, ([id, { link, named }]) => ({
      id,
      ...link.status,
      named: named.size,
      missing: this.#expected(id).filter((nodeId) => !named.has(nodeId)).length,
    }))
  }

  /** Resolves when each introducer has told all it knows, or has failed, once. */
  async tried(): Promise<void> {
    await Promise.all(Array.from(this.#sources.values(), ({ link }) => link.tried))
  }

  /** Ends every link; resolves when the list is on disk. */
  async close(): Promise<void> {
    this.#options.announcer?.close()
    this.#closing.abort()
    await this.#running
    await this.#keeper.close()
  }

  #start(): void {
    const { signal } = this.#closing
    this.#running = Promise.all(Array.from(this.#sources.values(), ({ link }) => link.run(signal)))
  }

  #source(target: PeerTarget): Source {
    const { net, clock, random, announcer, revocations } = this.#options
    const named = new Set<string>()
    const link = new IntroducerLink({
      target,
      net,
      clock,
      random,
      trace: this.#trace,
      announcer,
      revocations,
      onConnected: () => named.clear(),
      onNews: (announcements) => this.#take(announcements, target.id, named),
      onListed: () => this.#compare(target.id, named),
    })
    return { link, named }
  }

  #take(announcements: readonly Uint8Array[], source: string, named: Set<string>): void {
    let changed = false
    for (const bytes of announcements) {
      try {
        changed = this.#takeOne(bytes, source, named) || changed
      } catch (error) {
        if (!isGridError(error, 'E_ANNOUNCEMENT')) throw error
        this.#trace.event('introducer.bad-announcement', { introducer: source, why: error.message })
      }
    }
    if (!changed) return
    this.#keeper.changed()
    this.#options.onChange?.()
  }

  /** Whether it changed anything. Throws E_ANNOUNCEMENT. */
  #takeOne(bytes: Uint8Array, source: string, named: Set<string>): boolean {
    const { announcer, clock, onAnnouncement } = this.#options
    const announcement = readAnnouncement(bytes)
    const verdict = this.#directory.accept(announcement, source, clock.nowMs())
    if (announcement.nodeId === announcer?.nodeId) announcer.heard(announcement)
    if (verdict === 'other-grid' || verdict === 'expired' || verdict === 'full') return false
    named.add(announcement.nodeId)
    if (verdict !== 'older') onAnnouncement?.(announcement, source)
    return verdict === 'new' || verdict === 'newer'
  }

  #compare(source: string, named: ReadonlySet<string>): void {
    this.#directory.purge(this.#options.clock.nowMs())
    const expected = this.#expected(source)
    const missing = expected.filter((nodeId) => !named.has(nodeId))
    if (missing.length <= shrinkLimit * expected.length) return
    this.#trace.event('introducer.list-shrank', {
      introducer: source,
      known: expected.length,
      missing: missing.length,
    })
  }

  /** Nodes that `source` has named and whose announcements still hold. */
  #expected(source: string): string[] {
    const nowMs = this.#options.clock.nowMs()
    return [...this.#directory.since(0)]
      .filter(({ sources, untilMs }) => sources.includes(source) && untilMs > nowMs)
      .map(({ announcement }) => announcement.nodeId)
  }

  /** Whether the introducers would have named a newer announcement of that node, if there were one. */
  #isTold({ sources }: DirectoryEntry): boolean {
    const links = Array.from(this.#sources, ([id, { link }]) => ({ id, ...link.status }))
    if (!links.some(({ listening }) => listening)) return false
    return links.every(({ id, listening }) => listening || !sources.includes(id))
  }

  #mayBePrivate({ sources }: DirectoryEntry): boolean {
    if (this.#options.allowPrivateAddresses) return true
    return sources.some((source) => this.#privateSources.has(source))
  }
}

function isPrivate({ addresses }: PeerTarget): boolean {
  return addresses.length > 0 && addresses.every((each) => addressScope(each) === 'private')
}
