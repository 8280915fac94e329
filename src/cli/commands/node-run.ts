import { command, type Command } from '../command.ts'
import { runHere } from '../run-node.ts'

export const nodeRun: Command = command({
  arguments: [],
  options: {},
  examples: [['grid node run', 'keep shares for others until Ctrl-C']],
  run: (context) => runHere(context),
})
