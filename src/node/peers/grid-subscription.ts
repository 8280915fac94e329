/** Who the introducers of a home's config name, with the list kept in the home's cache. */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import type { Net } from '../../base/net.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import type { Announcement } from '../../introducer/announcement.ts'
import type { Announcer } from '../../introducer/announcer.ts'
import type { RevocationShelf } from '../../introducer/revocation-shelf.ts'
import { Subscriber } from '../../introducer/subscriber.ts'
import { UploadSet } from '../../introducer/upload-set.ts'
import type { Config } from '../home/config.ts'
import type { Home } from '../home/home.ts'

export interface SubscriptionParts {
  home: Home
  config: Config
  net: Net
  clock: Clock
  random: Random
  disk: Disk
  trace: Trace
  /** Announces this node too. */
  announcer?: Announcer
  /** Exchanged with the introducers. */
  revocations?: RevocationShelf
  /** Told of what the introducers name. */
  onAnnouncement?: (announcement: Announcement, introducerId: string) => void
}

/** Subscribes to all introducers of the config; undefined where it names none. */
export async function subscribe(parts: SubscriptionParts): Promise<Subscriber | undefined> {
  const { home, config, net, clock, random, disk, trace, announcer } = parts
  const { name, introducers, allowPrivate } = config.grid
  if (introducers.length === 0) return undefined
  await disk.makeDirectory(home.cache)
  return Subscriber.open({
    gridName: name,
    introducers,
    net,
    clock,
    random,
    trace,
    allowPrivateAddresses: allowPrivate,
    keptAt: { disk, path: path.join(home.cache, 'peers') },
    announcer,
    revocations: parts.revocations,
    onAnnouncement: parts.onAnnouncement,
  })
}

/** The servers that a home uploads to, kept in its cache; undefined where nobody introduces any. */
export async function openUploads(parts: SubscriptionParts): Promise<UploadSet | undefined> {
  const { home, config, disk, trace } = parts
  if (config.grid.introducers.length === 0) return undefined
  await disk.makeDirectory(home.cache)
  return UploadSet.open({ keptAt: { disk, path: uploadsFileOf(home) }, trace })
}

export function uploadsFileOf(home: Home): string {
  return path.join(home.cache, 'uploads')
}
