import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'

export const inviteRevoke: Command = command({
  arguments: [{ name: 'NAME', summary: 'what the invitation is called' }],
  options: {},
  examples: [['grid invite revoke attic', 'take an invitation back that nobody has joined by']],
  async run(context, { positionals: [name = ''] }) {
    await askHomeNode(context, 'revokeInvite', [name])
    return { summary: { name }, text: `${name} is taken back` }
  },
})
