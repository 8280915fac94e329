/** The aliases of the home that a command was given. */
import { Aliases } from '../files/aliases.ts'
import type { Context } from './command.ts'

export function aliasesOf({ home, world }: Pick<Context, 'home' | 'world'>): Aliases {
  return new Aliases({ home, disk: world.disk, random: world.random })
}
