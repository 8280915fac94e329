/** The admin cap that a command about a log was given, or that this home keeps. */
import { GridError } from '../base/errors.ts'
import type { CapOf } from '../caps/cap.ts'
import type { CapSource } from './cap-argument.ts'
import type { Context } from './command.ts'
import { keyringOf } from './home-config.ts'
import { onlyLogCap } from './log-cap.ts'

/** @throws E_USAGE for two of them, E_CAP_WEAK where it is not here, and as `onlyLogCap` */
export async function adminCap(
  context: Context,
  call: CapSource & { options: { log: string | undefined } },
): Promise<CapOf<'LOG-Admin'>> {
  const { log, capFile, capStdin } = call.options
  if (log === undefined) return onlyLogCap(call, context, 'LOG-Admin')
  if (capFile !== undefined || capStdin || call.positionals.length > 0) {
    throw new GridError('E_USAGE', 'give --log or a cap, not both')
  }
  const { admin } = await keyringOf(context).get(log)
  if (admin !== undefined) return admin
  throw new GridError('E_CAP_WEAK', `the admin cap of backup log ${log} is not here`, {
    hint: 'give it from the recovery kit: --cap-stdin',
  })
}
