import { parseInvites } from '../../node/running/control-messages.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'
import { inviteFacts, inviteLine } from '../invite-lines.ts'

export const inviteLs: Command = command({
  arguments: [],
  options: {},
  examples: [['grid invite ls', 'see which invitations are open, and who waits']],
  async run(context) {
    const { output, world } = context
    const nowMs = world.clock.nowMs()
    const invites = parseInvites(await askHomeNode(context, 'invites', []))
    for (const each of invites) {
      await output.item(inviteFacts(each, nowMs), inviteLine(each, nowMs))
    }
    return { summary: { invites: invites.length } }
  },
})
