/** The folders of a home: its grid while it has joined no other, and read beside one ever after. */
import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Random } from '../base/random.ts'
import type { Trace } from '../base/trace.ts'
import { version } from '../base/version.ts'
import type { Config } from './home/config.ts'
import type { Home, Secrets } from './home/home.ts'
import {
  type EmbeddedOptions,
  embeddedRedundancy,
  type FolderPool,
  openEmbeddedPeers,
} from './peers/embedded-peers.ts'

export interface HomeParts {
  home: Home
  config: Config
  secrets: Secrets
  clock: Clock
  random: Random
  disk: Disk
  trace: Trace
}

/** Whether folders of this machine are all the grid there is. */
export function isEmbedded({ grid }: Config): boolean {
  return grid.introducers.length === 0 && grid.peers.length === 0
}

export function folderOptions(parts: HomeParts): EmbeddedOptions {
  const { home, config, secrets, clock, random, disk, trace } = parts
  const { disks, redundancy } = config.embedded
  return {
    disk,
    random,
    clock,
    trace,
    disks: disks.length > 0 ? disks : [path.join(home.path, 'storage')],
    redundancy: redundancy ?? embeddedRedundancy(Math.max(1, disks.length)),
    identitySeed: secrets.identitySeed,
    reserveBytes: config.storage.reserveBytes,
    software: version,
  }
}

/** Opens the folders that there are, and makes none. Close them when done. Throws E_IO. */
export function openOwnFolders(parts: HomeParts): Promise<FolderPool> {
  return openEmbeddedPeers({ ...folderOptions(parts), isKept: true })
}
