/** The grid of the home that a command was given, which is made if there is none. */
import { isGridError } from '../base/errors.ts'
import type { Grid } from '../node/grid.ts'
import type { Context } from './command.ts'
import { makeHome, noStorage } from './make-home.ts'

/**
 * Opens the home's grid. Without a home one is made for ten folders of this machine, so that the
 * first `grid put` works. Throws as `openGrid` does.
 */
export async function openHomeGrid(context: Context): Promise<Grid> {
  try {
    return await context.world.openGrid(context)
  } catch (error) {
    if (!isGridError(error, 'E_NOT_INITIALISED')) throw error
    await makeHome(context, [noStorage('grid')])
    return context.world.openGrid(context)
  }
}
