/** The storage of this home's node, for its operator: over the socket of a running node, or opened here under the home's lock. */
import { isDiskError } from '../base/disk.ts'
import { isGridError } from '../base/errors.ts'
import type { Config } from '../node/home/config.ts'
import { openMembership } from '../node/home/grid-membership.ts'
import { lockHome } from '../node/home/home-lock.ts'
import type { Secrets } from '../node/home/home.ts'
import { identityOf } from '../node/home/identity.ts'
import { isEmbedded } from '../node/own-folders.ts'
import { openOwnStorage } from '../node/running/own-storage.ts'
import type { PurgeWish, SweepWish } from '../node/running/own-sweep.ts'
import type { OwnNode } from '../node/running/own-verbs.ts'
import type { PurgeReport } from '../storage/holds/purge.ts'
import type { SweepReport } from '../storage/holds/sweeper.ts'
import { Traffic } from '../storage/traffic.ts'
import type { Context } from './command.ts'
import { forgetMapped } from './heap.ts'
import { finished } from './own-job.ts'
import { openOwnNode } from './own-node.ts'

export interface OwnPlace {
  /** Throws as `LocalPeer.sweep` does, E_BUSY, the signal's reason. */
  sweep(wish: SweepWish): Promise<SweepReport>
  /** Throws as `HoldKeeper.purge` does, E_BUSY, the signal's reason. */
  purge(wish: PurgeWish): Promise<PurgeReport>
  close(): Promise<void>
}

/** Undefined for a home that keeps no shares for others. Throws E_IO, E_LOCKED where a node runs that cannot be reached. */
export async function openOwnPlace(
  context: Context,
  config: Config,
  secrets: Secrets,
): Promise<OwnPlace | undefined> {
  try {
    return await runningPlace(context, await openOwnNode(context))
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE')) throw error
  }
  const isKept = config.storage.enabled && !isEmbedded(config)
  if (!isKept || !(await isThere(context, config.storage.directory))) return undefined
  return restingPlace(context, config, secrets)
}

async function runningPlace(
  context: Context,
  node: OwnNode & { close(): void },
): Promise<OwnPlace | undefined> {
  const { storage } = await node.view()
  if (storage === undefined) {
    node.close()
    return undefined
  }
  return {
    sweep: async (wish) => finished(context, node, await node.sweep(wish)),
    purge: async (wish) => finished(context, node, await node.purge(wish)),
    close: async () => node.close(),
  }
}

/** Of a node that does not run: nobody may start it meanwhile. */
async function restingPlace(
  context: Context,
  config: Config,
  { identitySeed }: Secrets,
): Promise<OwnPlace> {
  const { world, home, trace, signal } = context
  const lock = await lockHome(home)
  try {
    const { disk, clock, random } = world
    const parts = { home, config, clock, disk, trace, notesMembers: true }
    const { membership, met } = await openMembership(parts)
    const { id } = identityOf(identitySeed)
    const { storage } = await openOwnStorage({
      ...{ id, identitySeed, disk, clock, random, trace, forgetMapped },
      config: config.storage,
      admission: membership,
      traffic: new Traffic({ clock, trace }),
    })
    return {
      sweep: (wish) => storage.sweep({ ...wish, signal }),
      purge: ({ publicKey, dryRun }) => storage.holds.purge(publicKey, { dryRun, signal }),
      close: async () => {
        await storage.close()
        await met?.saved()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function isThere({ world }: Context, directory: string): Promise<boolean> {
  try {
    await world.disk.readDirectory(directory)
    return true
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return false
    throw error
  }
}
