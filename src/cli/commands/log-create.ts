import { formatCap } from '../../caps/text.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { thisMachine } from '../log-cap.ts'
import { text } from '../option.ts'

export const logCreate: Command = command({
  arguments: [],
  options: {
    device: text(
      '--device <NAME>',
      "what this machine is called in the log; the machine's name if absent",
    ),
  },
  examples: [
    ['grid log create > log.caps', 'make a log; its admin cap and the cap of this machine'],
  ],
  async run(context, { options }) {
    const { signal, output } = context
    const grid = await openHomeGrid(context)
    try {
      const device = options.device ?? thisMachine()
      const { admin, append } = await grid.logs.create({ device, signal })
      for (const [role, cap] of [
        ['admin', formatCap(admin)],
        ['append', formatCap(append)],
      ] as const) {
        await output.item({ role, cap }, cap)
      }
      return {
        summary: { device },
        text: `made a log. The first cap can do everything with it: keep it off this machine. The second lets "${device}" append`,
      }
    } finally {
      await grid.close()
    }
  },
})
