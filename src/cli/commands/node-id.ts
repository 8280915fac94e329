import { command, type Command } from '../command.ts'
import { openHome } from '../../node/home/home.ts'
import { identityOf } from '../../node/home/identity.ts'

export const nodeId: Command = command({
  arguments: [],
  options: {},
  examples: [['grid node id', 'print what others call this node by']],
  async run({ home, output }) {
    const { identitySeed } = await openHome(home)
    const { id } = identityOf(identitySeed)
    await output.item({ peerId: id }, id)
    return { summary: { peerId: id } }
  },
})
