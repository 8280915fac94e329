import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'

export const inviteRefuse: Command = command({
  arguments: [{ name: 'NAME', summary: 'what the invitation is called' }],
  options: {},
  examples: [['grid invite refuse attic', 'send the machine away that came with it']],
  async run(context, { positionals: [name = ''] }) {
    await askHomeNode(context, 'refuseInvite', [name])
    return { summary: { name }, text: `${name} was sent away` }
  },
})
