import { GridError } from '../../base/errors.ts'
import { formatCap } from '../../caps/text.ts'
import type { CapOf } from '../../caps/cap.ts'
import { capOptions, type CapSource } from '../cap-argument.ts'
import { command, type Command, type Context } from '../command.ts'
import { keyringOf } from '../home-config.ts'
import { openHomeGrid } from '../home-grid.ts'
import { onlyLogCap } from '../log-cap.ts'
import { flag, text } from '../option.ts'

export const logGrant: Command = command({
  arguments: [{ name: 'CAP', summary: 'the LOG-Admin cap', optional: true }],
  options: {
    ...capOptions,
    log: text('--log <NAME>', 'take the admin cap of this backup log of the home'),
    device: text('--device <NAME>', 'what the device is called in the log'),
    prune: flag('--prune', 'give a key that may prune the log instead, and reads nothing'),
  },
  examples: [
    [
      'grid log grant --device laptop --cap-file admin.cap > laptop.cap',
      'let one more device append',
    ],
    [
      'grid log grant --prune --device pruner --cap-file admin.cap > prune.cap',
      'let somebody prune who must not read',
    ],
  ],
  async run(context, call) {
    const { signal, output } = context
    const { device, prune } = call.options
    if (device === undefined || device === '')
      throw new GridError('E_USAGE', 'there is no name for the device', { hint: 'give --device' })
    const cap = await adminCap(context, call)
    const grid = await openHomeGrid(context)
    try {
      const grant = { label: device, signal }
      const granted = formatCap(
        prune ? await grid.logs.grantPruner(cap, grant) : await grid.logs.grant(cap, grant),
      )
      await output.item({ device, cap: granted }, granted)
      const verb = prune ? 'prune' : 'append'
      return { summary: { device }, text: `"${device}" may ${verb} with this cap` }
    } finally {
      await grid.close()
    }
  },
})

async function adminCap(
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
