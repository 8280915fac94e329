import { capsOf, readTargets, targetOptions } from '../check-targets.ts'
import { command, type Command } from '../command.ts'
import { keeperCapsOf } from '../home-keeper.ts'
import { withTrees } from '../tree-places.ts'

export const keeperRm: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what was added, or ALIAS: or ALIAS:PATH',
      many: true,
      optional: true,
    },
  ],
  options: targetOptions,
  examples: [['grid keeper rm work:', 'let the keeper look after this tree no longer']],
  async run(context, call) {
    const targets = await withTrees(context, (places) => readTargets(context, call, places))
    const removed = await keeperCapsOf(context).remove(capsOf(targets))
    return { summary: { removed }, text: `removed ${removed} of ${targets.length}` }
  },
})
