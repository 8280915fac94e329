/** What `grid node sweep` sweeps: the storage of this home's node, running or not, and the folders of its grid. */
import { environmentOverrides, parseConfig } from '../node/home/config.ts'
import { openHome, readConfig } from '../node/home/home.ts'
import { openOwnFolders } from '../node/own-folders.ts'
import type { SweepWish } from '../node/running/own-sweep.ts'
import type { SweepReport } from '../storage/holds/sweeper.ts'
import type { Context } from './command.ts'
import { openOwnPlace } from './own-place.ts'

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

/** Close them when done. Throws E_NOT_INITIALISED, E_CONFIG, and as `openOwnPlace` does. */
export async function openSweepPlaces(context: Context): Promise<SweepPlaces> {
  const { home, world, trace, signal } = context
  const secrets = await openHome(home)
  const config = parseConfig(await readConfig(home), environmentOverrides(world.env), home.path)
  const own = await openOwnPlace(context, config, secrets)
  try {
    const { clock, random, disk } = world
    const pool = await openOwnFolders({ home, config, secrets, clock, random, disk, trace })
    const folders = pool.folders.map((folder): SweepPlace => ({
      name: pool.nickname(folder.id),
      sweep: (wish) => folder.sweep({ ...wish, signal }),
    }))
    const ownPlaces = own === undefined ? [] : [{ ...own, name: 'this node' }]
    return {
      places: [...ownPlaces, ...folders],
      close: async () => {
        await pool.close()
        await own?.close()
      },
    }
  } catch (error) {
    await own?.close()
    throw error
  }
}
