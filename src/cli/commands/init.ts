import { command, type Command } from '../command.ts'
import { clientOptions, givenSettings, makeHome, noStorage } from '../make-home.ts'

export const init: Command = command({
  arguments: [],
  options: clientOptions,
  examples: [
    ['grid init', 'keep files on this machine for now'],
    ['grid init --introducer /dns4/intro.example/tcp/7781/p2p/12D3KooW…', 'use a grid'],
  ],
  async run(context, { options }) {
    const { id } = await makeHome(context, [...givenSettings(options), noStorage('grid init')])
    return { summary: { home: context.home.path, peerId: id } }
  },
})
