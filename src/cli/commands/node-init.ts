import { command, type Command } from '../command.ts'
import {
  clientOptions,
  givenSettings,
  listenOptions,
  makeHome,
  storageOptions,
} from '../make-home.ts'

export const nodeInit: Command = command({
  arguments: [],
  options: { ...storageOptions, ...listenOptions, ...clientOptions },
  examples: [
    ['grid node init --storage /srv/shares --reserve 10GiB', 'keep shares on another disk'],
    ['grid node init --announce /dns4/node.example/tcp/7780', 'be reached by name'],
  ],
  async run(context, { options }) {
    const { id } = await makeHome(context, givenSettings(options))
    await context.output.item({ peerId: id }, id)
    return { summary: { home: context.home.path, peerId: id } }
  },
})
