import { GridError } from '../../base/errors.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { authorOf, logCap } from '../log-cap.ts'
import { value } from '../option.ts'

export const logRevoke: Command = command({
  arguments: [
    { name: 'CAP', summary: 'the LOG-Admin cap', optional: true },
    { name: 'DEVICE', summary: 'name of the device, or the beginning of its key', optional: true },
  ],
  options: {
    ...capOptions,
    lastGood: value(
      '--last-good <N>',
      'its last entry that stands; the newest one if absent, none if 0',
      'a number',
      (text) => (/^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined),
    ),
  },
  examples: [['grid log revoke --cap-file admin.cap laptop', 'take no more entries of a device']],
  async run(context, call) {
    const { signal } = context
    const { cap, rest } = await logCap(call, context, 'LOG-Admin')
    const [device, ...more] = rest
    if (device === undefined || more.length > 0)
      throw new GridError('E_USAGE', 'give the name of one device')
    const grid = await openHomeGrid(context)
    try {
      const view = await grid.logs.reader(cap).read({ signal })
      const author = authorOf(view, device)
      const known = view.chainOf(author)?.chain.seq ?? 0
      const lastGoodSeq = call.options.lastGood ?? known
      if (lastGoodSeq > known)
        throw new GridError('E_USAGE', `the device has written ${known} entries only`)
      const { receipts } = await grid.logs.revoke(cap, author, { lastGoodSeq, signal })
      return {
        summary: { device, lastGoodSeq, receipts: receipts.length },
        text: `"${device}" is revoked: of its entries the first ${lastGoodSeq} stand`,
      }
    } finally {
      await grid.close()
    }
  },
})
