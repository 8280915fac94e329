import { parseMembers } from '../../node/running/control-messages.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'
import { memberFacts } from '../invite-lines.ts'

export const memberRevoke: Command = command({
  arguments: [{ name: 'MEMBER', summary: 'its name, or the serial that grid members shows' }],
  options: {},
  examples: [['grid member revoke attic', 'let a machine keep and store nothing any more']],
  async run(context, { positionals: [which = ''] }) {
    const { output } = context
    const [member] = parseMembers(await askHomeNode(context, 'revokeMember', [which]))
    output.note('introducers pass it on within half a minute; its shares stay where they are')
    return { summary: memberFacts(member), text: `${member.name} is no member any more` }
  },
})
