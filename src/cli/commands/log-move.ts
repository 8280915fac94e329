import { type CapSource, capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { adminCap } from '../log-admin-cap.ts'
import { text } from '../option.ts'

export const logMove: Command = command({
  arguments: [{ name: 'CAP', summary: 'the LOG-Admin cap', optional: true }],
  options: {
    ...capOptions,
    log: text('--log <NAME>', 'take the admin cap of this backup log of the home'),
  },
  examples: [
    [
      'grid log move --cap-file admin.cap',
      'move a log off servers that are being emptied, or are gone, onto others',
    ],
  ],
  async run(context, call: CapSource & { options: { log: string | undefined } }) {
    const { signal, output } = context
    const cap = await adminCap(context, call)
    const grid = await openHomeGrid(context)
    try {
      const { servers, came, gone } = await grid.logs.move(cap, { signal })
      for (const server of came) await output.item({ server, came: true }, `+ ${server}`)
      for (const server of gone) await output.item({ server, came: false }, `- ${server}`)
      const isMoved = came.length + gone.length > 0
      return {
        summary: { servers, came: came.length, gone: gone.length },
        text: isMoved
          ? `the log is on ${servers} servers now: ${came.length} came, ${gone.length} are let go`
          : `nothing to move: all ${servers} servers of the log take entries`,
      }
    } finally {
      await grid.close()
    }
  },
})
