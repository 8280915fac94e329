import { parseMembers } from '../../node/running/control-messages.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'
import { memberFacts, memberLine } from '../invite-lines.ts'

export const members: Command = command({
  arguments: [],
  options: {},
  examples: [['grid members', 'see who is a member, until when, and what each may store']],
  async run(context) {
    const { output, world } = context
    const nowMs = world.clock.nowMs()
    const all = parseMembers(await askHomeNode(context, 'members', []))
    for (const member of all) await output.item(memberFacts(member), memberLine(member, nowMs))
    return { summary: { members: all.filter(({ isRevoked }) => !isRevoked).length } }
  },
})
