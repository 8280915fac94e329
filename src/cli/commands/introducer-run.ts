import { command, type Command } from '../command.ts'
import { noStorage } from '../make-home.ts'
import { runHere } from '../run-node.ts'

export const introducerRun: Command = command({
  arguments: [],
  options: {},
  examples: [['grid introducer run', 'tell nodes of each other until Ctrl-C']],
  run: (context) =>
    runHere(context, {
      introduces: true,
      overrides: [noStorage('grid introducer run')],
    }),
})
