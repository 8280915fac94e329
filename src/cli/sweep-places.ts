/** What `grid node sweep` sweeps: the storage of this home's node, running or not, and the folders of its grid. */
import { isDiskError } from '../base/disk.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { sleep } from '../base/clock.ts'
import { type Config, environmentOverrides, parseConfig } from '../node/home/config.ts'
import { lockHome } from '../node/home/home-lock.ts'
import { openHome, readConfig, type Secrets } from '../node/home/home.ts'
import { identityOf } from '../node/home/identity.ts'
import { isEmbedded, openOwnFolders } from '../node/own-folders.ts'
import { openOwnStorage } from '../node/running/own-storage.ts'
import type { OwnNode } from '../node/running/own-verbs.ts'
import type { SweepWish } from '../node/running/sweep-job.ts'
import { openAdmission } from '../storage/admission.ts'
import type { SweepReport } from '../storage/holds/sweeper.ts'
import type { LocalPeer } from '../storage/local-peer.ts'
import { Traffic } from '../storage/traffic.ts'
import type { Context } from './command.ts'
import { openOwnNode } from './own-node.ts'

export interface SweepPlace {
  /** `this node`, or the path of a folder. */
  name: string
  /** Throws as `LocalPeer.sweep` does, E_BUSY, the signal's reason. */
  sweep(wish: SweepWish): Promise<SweepReport>
}

export interface SweepPlaces {
  places: SweepPlace[]
  close(): Promise<void>
}

const ownName = 'this node'
const pollMs = { first: 20, last: 500 }

/** Close them when done. Throws E_NOT_INITIALISED, E_CONFIG, E_IO, E_LOCKED where a node runs that cannot be reached. */
export async function openSweepPlaces(context: Context): Promise<SweepPlaces> {
  const { home, world } = context
  const secrets = await openHome(home)
  const config = parseConfig(await readConfig(home), environmentOverrides(world.env), home.path)
  const own = await openOwn(context, config, secrets)
  try {
    const { clock, random, disk } = world
    const { trace } = context
    const pool = await openOwnFolders({ home, config, secrets, clock, random, disk, trace })
    const folders = pool.folders.map((each) => placeOf(context, pool.nickname(each.id), each))
    return {
      places: [...own.places, ...folders],
      close: async () => {
        await pool.close()
        await own.close()
      },
    }
  } catch (error) {
    await own.close()
    throw error
  }
}

async function openOwn(context: Context, config: Config, secrets: Secrets): Promise<SweepPlaces> {
  try {
    const node = await openOwnNode(context)
    return { places: await runningPlaces(context, node), close: async () => node.close() }
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE')) throw error
  }
  const isKept = config.storage.enabled && !isEmbedded(config)
  if (!isKept || !(await isThere(context, config.storage.directory)))
    return { places: [], close: async () => {} }
  return openResting(context, config, secrets)
}

async function runningPlaces({ world, signal }: Context, node: OwnNode): Promise<SweepPlace[]> {
  const { storage } = await node.view()
  if (storage === undefined) return []
  return [{ name: ownName, sweep: (wish) => sweepRunning(node, wish, { ...world, signal }) }]
}

/** A signal that ends the wait leaves the node at its work. */
async function sweepRunning(
  node: OwnNode,
  wish: SweepWish,
  { clock, signal }: Pick<Context['world'], 'clock' | 'signal'>,
): Promise<SweepReport> {
  const job = await node.sweep(wish)
  if (job === undefined) throw new GridError('E_USAGE', 'this node keeps no shares')
  for (let waitMs = pollMs.first; ; waitMs = Math.min(2 * waitMs, pollMs.last)) {
    const { report, error } = await node.swept(job)
    if (error !== undefined) throw new GridError(error.code, error.message)
    if (report !== undefined) return report
    await sleep(clock, waitMs, { signal })
  }
}

/** Of a node that does not run: nobody may start it meanwhile. */
async function openResting(
  context: Context,
  config: Config,
  { identitySeed }: Secrets,
): Promise<SweepPlaces> {
  const { world, home, trace } = context
  const lock = await lockHome(home)
  try {
    const { disk, clock, random } = world
    const { id } = identityOf(identitySeed)
    const { storage } = await openOwnStorage({
      ...{ id, identitySeed, disk, clock, random, trace },
      config: config.storage,
      admission: openAdmission,
      traffic: new Traffic({ clock, trace }),
    })
    return {
      places: [placeOf(context, ownName, storage)],
      close: async () => {
        await storage.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

function placeOf({ signal }: Context, name: string, storage: LocalPeer): SweepPlace {
  return { name, sweep: (wish) => storage.sweep({ ...wish, signal }) }
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
