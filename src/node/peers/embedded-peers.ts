/**
 * The embedded grid: folders of shares and logs on this machine, each behind a LocalPeer, with no server to
 * start. It is what a home uses until a real grid is configured.
 */
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import { DiskLogStore } from '../../storage/disk-log-store.ts'
import { DiskStore } from '../../storage/disk-store.ts'
import { openDiskHolds } from '../../storage/holds/open-holds.ts'
import { LocalPeer } from '../../storage/local-peer.ts'
import { layFolders, type PlacedFolder } from './folder-layout.ts'
import { identityOf } from '../home/identity.ts'
import type { PeerPool } from './peer-pool.ts'
import type { Redundancy } from '../placement/placement.ts'
import { processWriters } from './store-writers.ts'

export interface EmbeddedOptions {
  disk: Disk
  random: Random
  clock: Clock
  trace: Trace
  /** One per disk, ≥ 1; the folders are spread over them evenly. */
  disks: readonly string[]
  redundancy: Redundancy
  /** From which the folders' keys follow where no disk has them, and so their peer ids: each signs receipts with its own. */
  identitySeed: Uint8Array
  reserveBytes?: number
  software: string
  /** Opens the folders that there are, and makes none. */
  isKept?: boolean
}

const folders = 10
/** Processes that use folders are short, and a week apart: so much may pass between two before the clock counts as astray. */
const believedDays = 8

/** Peers that are folders. */
export type FolderPool = PeerPool & Required<Pick<PeerPool, 'folders'>>

/**
 * How an embedded grid over `disks` codes: n = 10, and k such that any one disk may die. One disk
 * cannot; there 8-of-10 heals lost files and rotten bits.
 */
export function embeddedRedundancy(disks: number): Redundancy {
  if (disks === 1) return { k: 8, happy: folders, n: folders }
  const perDisk = Math.ceil(folders / disks)
  return { k: folders - perDisk, happy: folders, n: folders }
}

/** Opens the folders that the disks have, and makes those that are missing. Throws E_IO. */
export async function openEmbeddedPeers(options: EmbeddedOptions): Promise<FolderPool> {
  const { redundancy, disks, isKept = false } = options
  const count = isKept ? 0 : Math.max(redundancy.n, disks.length)
  const placed = await layFolders({ ...options, count })
  const peers = await Promise.all(placed.map((folder) => openFolder(options, folder)))
  const candidates = peers.map((peer) => ({ id: peer.id, peer, domain: undefined, accepts: true }))
  const nicknames = new Map(candidates.map(({ id }, i) => [id, placed[i].path]))
  return {
    ready: async () => {},
    candidates: () => candidates,
    note: () => noteFor(options),
    nickname: (id) => nicknames.get(id) ?? id,
    folders: peers,
    close: async () => {
      await Promise.all(peers.map((peer) => peer.close()))
    },
  }
}

async function openFolder(options: EmbeddedOptions, folder: PlacedFolder): Promise<LocalPeer> {
  const { disk, clock, random, trace, reserveBytes, software } = options
  const { id, seed } = identityOf(folder.seed)
  const place = { disk, root: folder.path, writers: processWriters }
  const store = new DiskStore(place)
  await store.open()
  const logs = { store: new DiskLogStore(place), seed }
  await logs.store.open()
  const open = (): ReturnType<typeof openDiskHolds> => openDiskHolds({ ...place, clock, trace })
  const holds = { open, random, believedDays }
  return new LocalPeer({ id, store, logs, holds, clock, trace, software, reserveBytes })
}

function noteFor({ disks, redundancy: { k, n } }: EmbeddedOptions): string {
  if (disks.length > 1 && n - k >= Math.ceil(n / disks.length)) {
    return `stored on ${disks.length} disks of this machine: any one of them may die`
  }
  const heals =
    n > k ? `: it heals lost or damaged files (any ${n - k} of ${n} folders), and` : ', which'
  return `stored on one disk of this machine${heals} does not survive the loss of that disk`
}
