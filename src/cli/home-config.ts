/** What the commands about keys know of a home without opening its grid: its caps, and where its grid is. */
import path from 'node:path'
import { Keyring } from '../backup/keys/keyring.ts'
import { type Config, environmentOverrides, parseConfig } from '../node/home/config.ts'
import { type GridLocation, locationOf } from '../node/home/grid-location.ts'
import { openHome, readConfig } from '../node/home/home.ts'
import type { Context } from './command.ts'
import { text, type Value } from './option.ts'

export const logOption: { log: Value<string> } = {
  log: text('--log <NAME>', 'which backup log of this home (backup)'),
}

export function keyringOf({ home, world }: Pick<Context, 'home' | 'world'>): Keyring {
  return new Keyring({ home, disk: world.disk, random: world.random })
}

/** The config of an initialised home that is for its owner alone. @throws what `openHome` throws, E_CONFIG */
export async function readHomeConfig({ home, world }: Context): Promise<Config> {
  await openHome(home)
  return parseConfig(await readConfig(home), environmentOverrides(world.env), home.path)
}

/** Says so where a kit would lead to the disk that is lost with the home. */
export async function warnOfOwnDisk(
  { home, output }: Pick<Context, 'home' | 'output'>,
  { disks }: GridLocation,
): Promise<void> {
  const isWithin = (disk: string): boolean => !path.relative(home.path, disk).startsWith('..')
  if (disks.length === 0 || !disks.every(isWithin)) return
  await output.warning(
    'the backups are within the home itself, and are lost with its disk: use --disks or a grid',
  )
}

/** How another machine finds the grid of this home. Throws as `readHomeConfig` does. */
export async function readLocationOfHome(context: Context): Promise<GridLocation> {
  return locationOf(await readHomeConfig(context), path.join(context.home.path, 'storage'))
}
