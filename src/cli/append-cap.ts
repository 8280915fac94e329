/** The cap that a backup appends with. */
import { attenuate } from '../caps/attenuate.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Grid } from '../node/grid.ts'
import { openBackupLog } from './backup-log.ts'
import { readOnlyCap } from './cap-argument.ts'
import type { Context } from './command.ts'
import { keyringOf } from './home-config.ts'

export interface AppendChoice {
  log: string
  appendCapFile: string | undefined
}

/** Of the chosen log, which is made if this home has none of that name. Throws as `openBackupLog`. */
export async function appendCapOf(
  context: Context,
  grid: Grid,
  { log, appendCapFile }: AppendChoice,
): Promise<CapOf<'LOG-Append'>> {
  if (appendCapFile !== undefined) return capInFile(context, appendCapFile)
  return (await openBackupLog(context, grid, log)).append
}

/** The same where nothing may be made: undefined if this home has no such log, or may only read it. */
export async function presentAppendCap(
  context: Context,
  { log, appendCapFile }: AppendChoice,
): Promise<CapOf<'LOG-Append'> | undefined> {
  if (appendCapFile !== undefined) return capInFile(context, appendCapFile)
  return (await keyringOf(context).find(log))?.append
}

async function capInFile(context: Context, capFile: string): Promise<CapOf<'LOG-Append'>> {
  const source = { positionals: [], options: { capFile, capStdin: false } }
  return attenuate(await readOnlyCap(source, context), 'LOG-Append')
}
