import { GridError } from '../../base/errors.ts'
import { formatCap } from '../../caps/text.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { adminCap } from '../log-admin-cap.ts'
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
