/**
 * A participant that runs: it listens, keeps shares and logs for others, announces itself, knows its peers,
 * and lends their connections to the command line on the same machine.
 */
import path from 'node:path'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { Budget } from '../../base/limit.ts'
import type { Net } from '../../base/net.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import { version } from '../../base/version.ts'
import { suite } from '../../encoding/descriptor.ts'
import { Announcer } from '../../introducer/announcer.ts'
import { Introducer } from '../../introducer/introducer.ts'
import { introducerProtocol } from '../../introducer/protocol.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'
import type { StoragePeer } from '../../storage/peer.ts'
import { serveStorage } from '../../storage/serve.ts'
import { storageProtocol } from '../../storage/storage-protocol.ts'
import { Traffic } from '../../storage/traffic.ts'
import type { Config } from '../home/config.ts'
import { controlVerbs } from './control.ts'
import { EventFile } from './event-file.ts'
import { domainOf } from '../placement/failure-domain.ts'
import { openFounding } from './founding.ts'
import { type GridMembership, openMembership } from '../home/grid-membership.ts'
import { openUploads, subscribe } from '../peers/grid-subscription.ts'
import type { Home, Secrets } from '../home/home.ts'
import { isDraining } from '../home/draining.ts'
import { Invites } from './invites.ts'
import { lend } from './lending.ts'
import { NetworkPeers } from '../peers/network-peers.ts'
import { NodeEvents } from './node-events.ts'
import { socketOf } from '../home/node-socket.ts'
import { OwnJobs } from './own-jobs.ts'
import { RunningOwnNode } from './own-node.ts'
import { openOwnStorage, sweepNowAndThen } from './own-storage.ts'
import { type OwnNode, ownVerbs } from './own-verbs.ts'
import { watchPeers } from './peer-watch.ts'
import { listenUnix } from '../net/unix-net.ts'

export interface NodeParts {
  home: Home
  config: Config
  secrets: Secrets
  net: Net
  clock: Clock
  random: Random
  disk: Disk
  trace: Trace
  /** Whether this node is an introducer too. */
  introduces: boolean
  /** Called when another node seems to run with this one's key. */
  onTwin?: () => void
  /** The secret without which nobody connects, if there is one. */
  psk?: Uint8Array
  /** Opens a host that strangers reach, where others do not: see `InviteParts`. */
  openDoor?: () => Promise<Net>
  /** Takes the pages of a mapped file out of this process's memory, where the system can. */
  forgetMapped?: (path: string) => void
  /** What others are shown of its storage: in a trial, a peer that lies. */
  face?: (storage: StoragePeer) => StoragePeer
}

export interface RunningNode {
  id: string
  /** Where it listens: multiaddrs with /p2p. */
  addresses: string[]
  /** Tells, when it is asked, how this node's own storage is; undefined without storage. */
  storage: LocalPeer | undefined
  /** What the command line of the home is told of it. */
  own: OwnNode
  peers: NetworkPeers
  close(): Promise<void>
}

/** Bytes of bodies under way, in all channels together. */
const inFlightBytes = 128 * 2 ** 20
/** How often a node looks whether it still takes shares. */
const refreshMs = 60_000

/** Starts a node over parts that are open already; the net is closed with it. */
export async function runNode(given: NodeParts): Promise<RunningNode> {
  const { home, config, net, clock } = given
  const events = await NodeEvents.open({
    ...{ clock, trace: given.trace, file: new EventFile(given.disk, home.events) },
  })
  const parts = { ...given, trace: events }
  const trace: Trace = events
  const traffic = new Traffic({ clock, trace })
  const budget = new Budget(inFlightBytes)
  const closing = new AbortController()
  const member = await openMembership({ ...parts, notesMembers: true })
  const members = await openFounding(parts, member)
  const { membership, certificate, revocations } = member
  const { random, disk, secrets } = parts
  const place = { id: net.id, config: config.storage, admission: membership }
  const { identitySeed } = secrets
  const { forgetMapped } = parts
  const own = { ...place, identitySeed, disk, clock, random, trace, traffic, forgetMapped }
  const { storage, scrubber } = config.storage.enabled ? await openOwnStorage(own) : {}
  const isEmptying = await isDraining(parts)
  if (isEmptying) storage?.stopTaking()
  const face = storage && traffic.around(parts.face?.(storage) ?? storage)
  if (face !== undefined) {
    const serving = { clock, budget, trace, admission: membership }
    net.handle(storageProtocol, (channel) => serveStorage(face, channel, serving))
  }
  const introducer = parts.introduces ? await openIntroducer(parts, budget, member) : undefined
  const said = storage && (await announce(parts, storage, member, closing.signal))
  const subscriber = await subscribe({
    ...parts,
    announcer: said?.announcer,
    revocations,
    onAnnouncement: (announcement, id) => introducer?.hear(announcement, id),
  })
  const ownServer = ownPeer(config, net, storage && traffic.around(storage))
  if (ownServer !== undefined && isEmptying) ownServer.accepts = false
  const peers = new NetworkPeers({
    net,
    clock,
    fixed: config.grid.peers,
    subscriber,
    own: ownServer,
    membership,
    certificate,
    uploads: await openUploads(parts),
  })
  const { nickname } = config.node
  const stopTaking = async (): Promise<void> => {
    storage?.stopTaking()
    if (ownServer !== undefined) ownServer.accepts = false
    await said?.look()
  }
  const jobs = new OwnJobs()
  const view = { nickname, clock, net, peers, events, traffic, storage, scrubber, jobs }
  const ownNode = new RunningOwnNode({ ...view, trace, stopTaking })
  const invites = await Invites.open({ ...parts, budget, membership, members })
  const ruled = controlVerbs({ invites, members, clock, peers })
  const more = new Map([...ruled, ...ownVerbs(ownNode)])
  const lending = await listenUnix(socketOf(home), (channel) =>
    lend(peers, channel, { clock, budget, more }),
  )
  const { signal } = closing
  peers.ready({ signal }).catch(() => undefined)
  storage?.openHolds().catch(() => undefined)
  trace.event('node.started', { software: version })
  const background = Promise.allSettled([
    watchPeers(peers, { clock, trace, signal }),
    ...(scrubber === undefined ? [] : [scrubber.run({ signal })]),
    ...(storage === undefined ? [] : [sweepNowAndThen(storage, { clock, trace, signal })]),
  ])
  return {
    id: net.id,
    addresses: told(config, net).map((address) => `${address}/p2p/${net.id}`),
    storage,
    own: ownNode,
    peers,
    async close() {
      closing.abort()
      await lending.close()
      await jobs.close()
      await invites.close()
      await peers.close()
      await introducer?.close()
      await background
      await storage?.close()
      await member.met?.saved()
      trace.event('node.stopped')
      await events.close()
    },
  }
}

async function openIntroducer(
  parts: NodeParts,
  budget: Budget,
  { revocations }: GridMembership,
): Promise<Introducer> {
  const { config, net, clock, disk, trace, home } = parts
  await disk.makeDirectory(home.cache)
  const keptAt = { disk, path: path.join(home.cache, 'announcements') }
  const introducer = await Introducer.open({
    gridName: config.grid.name,
    clock,
    budget,
    trace,
    keptAt,
    revocations,
    others: config.grid.introducers.map(({ id }) => id).filter((id) => id !== net.id),
  })
  net.handle(introducerProtocol, (channel) => introducer.serve(channel))
  return introducer
}

/** Says anew from time to time how much room there is. */
async function announce(
  { config, net, secrets, clock, trace, onTwin }: NodeParts,
  storage: LocalPeer,
  { certificate }: GridMembership,
  closing: AbortSignal,
): Promise<{ announcer: Announcer; look: () => Promise<void> }> {
  let status = await storage.offer()
  const announcer = new Announcer({
    gridName: config.grid.name,
    seed: secrets.identitySeed,
    clock,
    certificate,
    onTwin: () => {
      trace.event('node.twin', { id: net.id })
      onTwin?.()
    },
    describe: () => ({
      addresses: told(config, net),
      facts: {
        nickname: config.node.nickname,
        failureDomain: config.node.domain,
        freeBytes: status.freeBytes,
        readOnly: status.readOnly,
        quarantineDays: status.quarantineDays,
        suites: [suite],
        software: version,
      },
    }),
  })
  const look = async (): Promise<void> => {
    const now = await storage.offer().catch(() => status)
    const changed = now.readOnly !== status.readOnly
    status = now
    if (changed) announcer.renew()
  }
  const watch = async (): Promise<void> => {
    for (;;) {
      await sleep(clock, refreshMs, { signal: closing })
      await look()
    }
  }
  watch().catch(() => undefined)
  return { announcer, look }
}

function ownPeer(
  config: Config,
  net: Net,
  storage: StoragePeer | undefined,
): ConstructorParameters<typeof NetworkPeers>[0]['own'] {
  if (storage === undefined) return undefined
  const { nickname, domain } = config.node
  return {
    peer: storage,
    nickname,
    domain: domainOf(domain, told(config, net)),
    accepts: !config.storage.readOnly,
  }
}

/** The addresses that others are told. */
function told(config: Config, net: Net): string[] {
  return config.node.announce.length > 0 ? config.node.announce : net.addresses()
}
