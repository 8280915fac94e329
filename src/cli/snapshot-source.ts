/** The log of backups that a command reads, and what it must say of it. */
import { defaultLogName } from '../backup/keys/keyring.ts'
import { Snapshots } from '../backup/snapshots.ts'
import { GridError } from '../base/errors.ts'
import { attenuate } from '../caps/attenuate.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Grid } from '../node/grid.ts'
import { readCapLines } from './cap-argument.ts'
import type { Context } from './command.ts'
import { keyringOf } from './home-config.ts'
import { conclusionText } from './log-verdict.ts'
import { text, type Value } from './option.ts'

export const backupLogOptions: { log: Value<string>; readCapFile: Value<string> } = {
  log: text('--log <NAME>', 'the log of backups; "backup" unless there is one other only'),
  readCapFile: text('--read-cap-file <FILE>', 'read the LOG-Read cap from a file instead'),
}

export interface BackupLogChoice {
  log?: string | undefined
  readCapFile?: string | undefined
}

/**
 * The cap that reads the snapshots of the chosen log.
 *
 * @throws E_USAGE if the home knows no such log; E_CAP_WEAK if it may only append to it
 */
export async function backupReadCap(
  context: Context,
  { log, readCapFile }: BackupLogChoice,
): Promise<CapOf<'LOG-Read'>> {
  if (readCapFile !== undefined) {
    if (log !== undefined) throw new GridError('E_USAGE', 'give --log or --read-cap-file, not both')
    const caps = await readCapLines({ capFile: readCapFile, capStdin: false }, context)
    if (caps.length === 1) return attenuate(caps[0], 'LOG-Read')
    throw new GridError('E_USAGE', `${readCapFile} holds ${caps.length} caps, and one is needed`)
  }
  const name = await backupLogName(context, log)
  const { read } = await keyringOf(context).get(name)
  if (read !== undefined) return read
  throw new GridError('E_CAP_WEAK', `this home may add to the log ${name}, and not read it`, {
    hint: 'give the cap that reads it: --read-cap-file FILE',
    facts: { needed: 'LOG-Read' },
  })
}

/** The log that is meant where none is named: the only one, else the one of the usual name. */
export async function backupLogName(context: Context, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const names = await keyringOf(context).names()
  return names.length === 1 ? names[0] : defaultLogName
}

/** Reads the log, and warns once if its servers withhold something, or may. */
export async function readSnapshots(
  { output, signal }: Context,
  grid: Grid,
  cap: CapOf<'LOG-Read'>,
): Promise<Snapshots> {
  const snapshots = await Snapshots.open(grid.logs.reader(cap), { signal })
  const { conclusion } = snapshots.view
  const { state, answered, quorum } = conclusion
  if (state !== 'FRESH')
    await output.warning(conclusionText(conclusion), { state, answered, quorum })
  return snapshots
}

/** Those of the usual log of the home; undefined if it has none, or may not read it. */
export async function homeSnapshots(context: Context, grid: Grid): Promise<Snapshots | undefined> {
  const caps = await keyringOf(context).find(await backupLogName(context, undefined))
  return caps?.read && readSnapshots(context, grid, caps.read)
}
