import { attenuate } from '../../caps/attenuate.ts'
import { formatCap } from '../../caps/text.ts'
import { command, type Command } from '../command.ts'
import { thisMachine } from '../log-cap.ts'
import { text } from '../option.ts'
import { withTrees } from '../tree-places.ts'

export const aliasCreate: Command = command({
  arguments: [{ name: 'NAME', summary: 'what to call the tree' }],
  options: {
    device: text(
      '--device <NAME>',
      "what this machine is called in the tree's log; the machine's name if absent",
    ),
  },
  examples: [
    ['grid alias create work > work.admin', 'make an empty tree, and keep its admin cap elsewhere'],
  ],
  async run(context, { positionals: [name], options }) {
    const { output, signal } = context
    return withTrees(context, async ({ grid, aliases }) => {
      await aliases.checkFree(name)
      const device = options.device ?? thisMachine()
      const { admin, append } = await grid.logs.create({ device, signal })
      await aliases.add(name, { read: attenuate(admin, 'LOG-Read'), append })
      const cap = formatCap(admin)
      await output.item({ alias: name, cap }, cap)
      return {
        summary: { alias: name, device },
        text: `made ${name}: which "${device}" reads and changes. Keep the cap off this machine: it alone lets other devices in`,
      }
    })
  },
})
