import { lowerFormat } from '../../node/home/home-format.ts'
import { lockHome } from '../../node/home/home-lock.ts'
import { command, type Command } from '../command.ts'
import { readHomeConfig } from '../home-config.ts'

export const nodeDowngrade: Command = command({
  arguments: [],
  options: {},
  examples: [['grid node downgrade', 'then run the node with the version of Grid before this one']],
  async run(context) {
    const { home, world } = context
    const { storage } = await readHomeConfig(context)
    const lock = await lockHome(home)
    try {
      const store = storage.enabled ? storage.directory : undefined
      const format = await lowerFormat({ disk: world.disk, home, store })
      return {
        summary: { format },
        text: `of format ${format} again; this version of Grid raises it when it runs the node`,
      }
    } finally {
      await lock.release()
    }
  },
})
