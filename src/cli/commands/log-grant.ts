import { GridError } from '../../base/errors.ts'
import { formatCap } from '../../caps/text.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { onlyLogCap } from '../log-cap.ts'
import { text } from '../option.ts'

export const logGrant: Command = command({
  arguments: [{ name: 'CAP', summary: 'the LOG-Admin cap', optional: true }],
  options: {
    ...capOptions,
    device: text('--device <NAME>', 'what the device is called in the log'),
  },
  examples: [
    [
      'grid log grant --device laptop --cap-file admin.cap > laptop.cap',
      'let one more device append',
    ],
  ],
  async run(context, call) {
    const { signal, output } = context
    const { device } = call.options
    if (device === undefined || device === '')
      throw new GridError('E_USAGE', 'there is no name for the device', { hint: 'give --device' })
    const cap = await onlyLogCap(call, context, 'LOG-Admin')
    const grid = await openHomeGrid(context)
    try {
      const granted = formatCap(await grid.logs.grant(cap, { label: device, signal }))
      await output.item({ device, cap: granted }, granted)
      return { summary: { device }, text: `"${device}" may append with this cap` }
    } finally {
      await grid.close()
    }
  },
})
