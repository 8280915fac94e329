/** What the keeper of a home keeps in it: its caps in `private/`, and what it remembers in `keeper/`. */
import path from 'node:path'
import { GridError } from '../base/errors.ts'
import { KeeperCaps } from '../keeper/keeper-caps.ts'
import { KeeperState } from '../keeper/keeper-state.ts'
import { type HomeLock, lockFile } from '../node/home/home-lock.ts'
import { LeaseRecord } from '../node/home/lease-record.ts'
import { RecordFolder } from '../node/home/record-folder.ts'
import type { Context } from './command.ts'

type Parts = Pick<Context, 'home' | 'world'>

export function keeperCapsOf({ home, world: { disk, random } }: Parts): KeeperCaps {
  return new KeeperCaps(new RecordFolder({ disk, random, path: home.private }))
}

export function openKeeperState(parts: Parts): Promise<KeeperState> {
  const { disk, random } = parts.world
  return KeeperState.open(new RecordFolder({ disk, random, path: folderOf(parts) }))
}

/** When what was put from this home ends. */
export function leasesOf({ home, world: { disk, random, clock } }: Parts): LeaseRecord {
  return new LeaseRecord({ disk, random, clock, path: home.leases })
}

/** Keeps a second keeper of this home away. Throws E_LOCKED. */
export async function lockKeeper(parts: Parts): Promise<HomeLock> {
  const { home, world } = parts
  await world.disk.makeDirectory(folderOf(parts))
  return lockFile(path.join(folderOf(parts), 'keeper.lock'), (pid) => {
    const message = `a keeper is running from ${home.path} (process ${pid})`
    return new GridError('E_LOCKED', message, { hint: 'one is enough', facts: { pid } })
  })
}

function folderOf({ home }: Parts): string {
  return path.join(home.path, 'keeper')
}
