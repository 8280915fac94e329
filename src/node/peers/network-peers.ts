/**
 * The peers of a real grid: those that introducers name and those in the config, each connected to
 * when it is needed.
 */
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import type { Net, PeerTarget } from '../../base/net.ts'
import type { KnownNode, Subscriber } from '../../introducer/subscriber.ts'
import type { UploadSet } from '../../introducer/upload-set.ts'
import type { Membership } from '../../members/membership.ts'
import type { StoragePeer } from '../../storage/peer.ts'
import { storageProtocol } from '../../storage/storage-protocol.ts'
import type { Candidate } from './candidate.ts'
import { connectStorage } from './connect-storage.ts'
import { type Connection, DialledPeer } from './dialled-peer.ts'
import { domainOf } from '../placement/failure-domain.ts'
import type { IntroducerReport, PeerPool } from './peer-pool.ts'

export interface NetworkPeersOptions {
  net: Net
  clock: Clock
  /** Storage servers of the config. */
  fixed: readonly PeerTarget[]
  /** Who the introducers name; absent without introducers. */
  subscriber?: Pick<Subscriber, 'nodes' | 'introducers' | 'tried' | 'close'>
  /** This node's own storage, if it has one. */
  own?: { peer: StoragePeer; nickname: string; domain: string | undefined; accepts: boolean }
  /** Which servers may be given shares; any if absent. */
  membership?: Pick<Membership, 'serverRefusal'>
  /** What shows servers that this node is a member. */
  certificate?: Uint8Array
  /** Which of the announced servers are uploaded to; closed with the peers. All if absent. */
  uploads?: UploadSet
}

interface Known {
  target: PeerTarget
  peer: DialledPeer
}

const connectTimeoutMs = 10_000
const introducersPatienceMs = 5_000
/** A grid of the default redundancy is complete with this many; more need no waiting for. */
const enoughPeers = 10
/** Peers to connect to ahead of need; in a large grid most are never used. */
const preparedPeers = 20

export class NetworkPeers implements PeerPool {
  readonly #options: NetworkPeersOptions
  readonly #known = new Map<string, Known>()
  /** By peer id, as of when the candidates were looked at last: there may be a thousand. */
  #nicknames: ReadonlyMap<string, string> | undefined

  constructor(options: NetworkPeersOptions) {
    this.#options = options
  }

  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    const { subscriber, clock } = this.#options
    if (subscriber !== undefined && this.candidates().length < enoughPeers) {
      await withinPatience(clock, subscriber.tried())
    }
    options.signal?.throwIfAborted()
    this.candidates()
    for (const { peer } of [...this.#known.values()].slice(0, preparedPeers)) peer.prepare()
  }

  candidates(): Candidate[] {
    const { own, fixed, subscriber, net, uploads } = this.#options
    const candidates = new Map<string, Candidate>()
    if (own) candidates.set(net.id, { ...own, id: net.id })
    const nodes = subscriber?.nodes() ?? []
    this.#nicknames = new Map(nodes.map((node) => [node.id, node.facts.nickname]))
    const isMember = ({ id, certificate }: KnownNode): boolean => this.#isMember(id, certificate)
    const members = new Set(nodes.filter(isMember))
    const live = new Set([...members].filter(({ stale }) => !stale).map(({ id }) => id))
    const unheard = new Set([...members].filter(({ unheard }) => unheard).map(({ id }) => id))
    uploads?.hear(live, unheard)
    const mayStore = (node: KnownNode): boolean =>
      members.has(node) && (uploads?.has(node.id) ?? !node.stale)
    for (const node of nodes) {
      const { id, addresses, facts } = node
      if (addresses.length === 0 || facts.suites.length === 0) continue
      const domain = domainOf(facts.failureDomain, addresses)
      const accepts = !facts.readOnly && mayStore(node)
      candidates.set(id, { id, domain, accepts, peer: this.#peer({ id, addresses }) })
    }
    for (const target of fixed) {
      const announced = candidates.get(target.id)
      if (announced === undefined) {
        const { id, addresses } = target
        const domain = domainOf('', addresses)
        const accepts = this.#isMember(id, undefined)
        candidates.set(id, { id, domain, accepts, peer: this.#peer(target) })
      }
    }
    return [...candidates.values()]
  }

  note(): string | undefined {
    const held = this.#options.uploads?.held
    if (held === undefined) return undefined
    return `${held.gone} of the ${held.known} servers known are announced no more: stored on those known before; if they are gone for good, run: grid introducer accept`
  }

  /** Goes on with the servers that are announced now, however many of those known before are gone. */
  acceptServers(): void {
    this.#options.uploads?.accept()
  }

  nickname(id: string): string {
    const { net, own } = this.#options
    if (id === net.id) return own === undefined || own.nickname === '' ? id : own.nickname
    if (this.#nicknames === undefined) this.candidates()
    const named = this.#nicknames?.get(id)
    return named === undefined || named === '' ? id : named
  }

  async introducers(options: { signal?: AbortSignal } = {}): Promise<IntroducerReport[]> {
    const { subscriber, clock } = this.#options
    if (subscriber === undefined) return []
    await withinPatience(clock, subscriber.tried())
    options.signal?.throwIfAborted()
    return subscriber.introducers().map(({ id, listening, failure }) => ({
      ...{ id, answers: listening },
      error: listening ? undefined : (failure?.message ?? 'no answer in time'),
    }))
  }

  async close(): Promise<void> {
    for (const { peer } of this.#known.values()) peer.close()
    await this.#options.subscriber?.close()
    await this.#options.uploads?.close()
    await this.#options.net.close()
  }

  #isMember(id: string, certificate: Uint8Array | undefined): boolean {
    return this.#options.membership?.serverRefusal(id, certificate) === undefined
  }

  /** The peer of this id, which dials the addresses that were named last. */
  #peer(target: PeerTarget): DialledPeer {
    const known = this.#known.get(target.id)
    if (known !== undefined) {
      known.target = target
      return known.peer
    }
    const { id } = target
    const peer = new DialledPeer({
      id,
      clock: this.#options.clock,
      connect: () => this.#connect(id),
    })
    this.#known.set(id, { target, peer })
    return peer
  }

  #connect(id: string): Promise<Connection> {
    const { net, clock, certificate } = this.#options
    const { target } = this.#known.get(id)!
    return withDeadline(clock, connectTimeoutMs, async (signal) => {
      const channel = await net.dial(target, storageProtocol, { signal })
      return connectStorage(id, channel, { clock, signal, certificate })
    })
  }
}

/** Resolves with `tried`, or when patience ends. */
async function withinPatience(clock: Clock, tried: Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const cancel = clock.after(introducersPatienceMs, resolve)
    void tried.then(() => {
      cancel()
      resolve()
    })
  })
}
