import { readTargets, targetOptions } from '../check-targets.ts'
import { command, type Command } from '../command.ts'
import { mendTargets } from '../mend-run.ts'
import { withTrees } from '../tree-places.ts'

export const rebalance: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what to spread anew, or ALIAS: or ALIAS:PATH; a verify cap will do',
      many: true,
      optional: true,
    },
  ],
  options: targetOptions,
  examples: [
    ['grid rebalance --all', 'after servers came: copy shares to those that should have them'],
  ],
  async run(context, call) {
    return withTrees(context, async (places) => {
      const targets = await readTargets(context, call, places)
      const depth = { sample: 0, whole: false }
      return mendTargets(context, places.grid, targets, { goal: 'preferred', depth })
    })
  },
})
