/**
 * Makes a Grid from a home: over the connections that a running node lends, over connections of
 * its own, or over folders of this machine when no grid is configured.
 */
import { type Clock, SystemClock } from '../base/clock.ts'
import { type Disk, SystemDisk } from '../base/disk.ts'
import { isGridError } from '../base/errors.ts'
import { type Random, SystemRandom } from '../base/random.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { InlineEncoder } from '../encoding/inline-encoder.ts'
import { openErasureCode } from '../encoding/open-code.ts'
import { type Override, parseConfig } from './home/config.ts'
import { openEmbeddedPeers } from './peers/embedded-peers.ts'
import { usefulThreads } from './encoder/encoder-thread.ts'
import { syncFileReader } from './encoder/file-source.ts'
import { Grid } from './grid.ts'
import { openMembership } from './home/grid-membership.ts'
import { openUploads, subscribe } from './peers/grid-subscription.ts'
import { configText } from './home/config-file.ts'
import { type Home, homeAt, initHome, openHome, readConfig, readPsks } from './home/home.ts'
import { identityOf } from './home/identity.ts'
import { LeaseRecord } from './home/lease-record.ts'
import { withKeptFolders } from './peers/kept-folders.ts'
import { folderOptions, type HomeParts, isEmbedded } from './own-folders.ts'
import { borrowPeers } from './running/lending.ts'
import { diskRecords } from './logs/log-records.ts'
import { NetworkPeers } from './peers/network-peers.ts'
import { socketOf } from './home/node-socket.ts'
import type { PeerPool } from './peers/peer-pool.ts'
import { connectUnix } from './net/unix-net.ts'
import { WorkerEncoder } from './encoder/worker-encoder.ts'

export interface OpenGridOptions {
  /** The home's directory, or the home. */
  home: string | Home
  /** Settings that win over config.toml. */
  overrides?: Override[]
  clock?: Clock
  random?: Random
  disk?: Disk
  trace?: Trace
  /** Which Reed–Solomon kernel; the fastest that the engine runs, if absent. */
  engine?: 'simd' | 'package'
}

/**
 * Opens the grid of an initialised home. Close it when done.
 *
 * @throws E_NOT_INITIALISED, E_PERMISSIONS, E_CONFIG, E_IO
 */
export async function openGrid(options: OpenGridOptions): Promise<Grid> {
  const home = typeof options.home === 'string' ? homeAt(options.home) : options.home
  const secrets = await openHome(home)
  const config = parseConfig(await readConfig(home), options.overrides ?? [], home.path)
  const clock = options.clock ?? new SystemClock()
  const random = options.random ?? new SystemRandom()
  const disk = options.disk ?? new SystemDisk()
  const parts = { home, config, secrets, clock, random, disk, trace: options.trace ?? noTrace }
  const embedded = isEmbedded(config)
  const folders = folderOptions(parts)
  return new Grid({
    clock,
    random,
    secret: secrets.convergenceSecret,
    redundancy: embedded ? folders.redundancy : config.client.redundancy,
    convergence: config.client.convergence,
    clientId: identityOf(secrets.identitySeed).id,
    // nobody's are without an end, and so are those that are put into folders of this machine
    leases: embedded ? undefined : new LeaseRecord({ disk, random, clock, path: home.leases }),
    records: diskRecords({ disk, random, path: home.logs }),
    encoder: new WorkerEncoder({ threads: usefulThreads(), engine: options.engine }),
    smallEncoder: new InlineEncoder(openErasureCode({ engine: options.engine }), syncFileReader),
    peers: embedded
      ? await openEmbeddedPeers(folders)
      : await withKeptFolders(await openNetwork(parts), folders),
  })
}

async function openNetwork(parts: HomeParts): Promise<PeerPool> {
  const { home, config, secrets, clock, trace } = parts
  try {
    return await borrowPeers(() => connectUnix(socketOf(home)), { clock })
  } catch (error) {
    if (!isGridError(error)) throw error
    trace.event('no node lends its connections', { code: error.code })
  }
  // libp2p is large: it is loaded only when no running node can be used.
  const { openLibp2pNet } = await import('./net/libp2p-net.ts')
  const psks = await readPsks(config.grid.pskFiles)
  const net = await openLibp2pNet({ seed: secrets.identitySeed, listen: [], psks })
  const { membership, certificate, revocations } = await openMembership(parts)
  const subscriber = await subscribe({ ...parts, net, revocations })
  const uploads = await openUploads({ ...parts, net })
  const fixed = config.grid.peers
  return new NetworkPeers({ net, clock, fixed, subscriber, membership, certificate, uploads })
}

/**
 * Makes a home with fresh keys at `directory`, for an embedded grid unless `settings` name another.
 *
 * @throws E_EXISTS where there is one, E_CONFIG, E_IO
 */
export async function makeHome(
  directory: string,
  settings: readonly Override[] = [],
): Promise<Home> {
  const home = homeAt(directory)
  parseConfig('', [...settings], home.path)
  await initHome(home, { config: configText(settings), random: new SystemRandom() })
  return home
}
