import { rm } from 'node:fs/promises'
import { isGridError } from '../../base/errors.ts'
import { uploadsFileOf } from '../../node/peers/grid-subscription.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command } from '../command.ts'

export const introducerAccept: Command = command({
  arguments: [],
  options: {},
  examples: [
    ['grid introducer accept', 'use the servers there are now, though most of before are gone'],
  ],
  async run(context) {
    try {
      await askHomeNode(context, 'acceptServers', [])
    } catch (error) {
      if (!isGridError(error, 'E_UNREACHABLE')) throw error
      await rm(uploadsFileOf(context.home), { force: true })
    }
    return { summary: {}, text: 'new files go to the servers that introducers name now' }
  },
})
