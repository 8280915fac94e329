import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'

export const inviteApprove: Command = command({
  arguments: [{ name: 'NAME', summary: 'what the invitation is called' }],
  options: {},
  examples: [['grid invite approve attic', 'let the machine in that came with it']],
  async run(context, { positionals: [name = ''] }) {
    await askHomeNode(context, 'approveInvite', [name])
    return { summary: { name }, text: `${name} may join` }
  },
})
