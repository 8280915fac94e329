/** The log that a home backs up into, which is made on first use. */
import path from 'node:path'
import { type BackupCaps, defaultLogName } from '../backup/keys/keyring.ts'
import { GridError } from '../base/errors.ts'
import { attenuate } from '../caps/attenuate.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Grid } from '../node/grid.ts'
import { lockFile } from '../node/home/home-lock.ts'
import type { Context } from './command.ts'
import { keyringOf } from './home-config.ts'
import { thisMachine } from './log-cap.ts'

/** The caps of a log that this home may add snapshots to. */
export interface BackupLog extends BackupCaps {
  append: CapOf<'LOG-Append'>
}

/**
 * The caps of the log `name` of the home whose open grid this is. There is none: it is made, with a
 * device called like the machine, all its caps are kept, and a note says how to take the admin cap away.
 *
 * @throws E_CAP_WEAK where this home may only read it; E_LOCKED while another process makes one;
 *   E_USAGE for a name that is none; what `Logs.create` and `Keyring` throw
 */
export async function openBackupLog(
  context: Context,
  grid: Grid,
  name: string = defaultLogName,
): Promise<BackupLog> {
  const { home, output, signal } = context
  const keyring = keyringOf(context)
  const known = await keyring.find(name)
  if (known !== undefined) return writable(name, known)
  await keyring.checkFree(name)
  const lock = await lockFile(path.join(home.path, 'backups.lock'), (pid) => {
    return new GridError('E_LOCKED', `process ${pid} is making a backup log of this home`)
  })
  try {
    const made = await keyring.find(name)
    if (made !== undefined) return writable(name, made)
    const { admin, append } = await grid.logs.create({ device: thisMachine(), signal })
    const caps = { append, read: attenuate(admin, 'LOG-Read'), admin }
    await keyring.add(name, caps)
    const words = name === defaultLogName ? '' : ` --log ${name}`
    output.note(
      `made backup log ${name}; its admin cap is on this machine: print it and take it off with ` +
        `grid keys paper --remove-admin${words}`,
    )
    return caps
  } finally {
    await lock.release()
  }
}

function writable(name: string, { append, ...rest }: BackupCaps): BackupLog {
  if (append !== undefined) return { append, ...rest }
  throw new GridError('E_CAP_WEAK', `this home may read backup log ${name}, and not add to it`, {
    hint: 'let it in with the admin cap: grid recover --device NAME, or grid log grant',
    facts: { log: name },
  })
}
