import { capsOf, readTargets, targetOptions } from '../check-targets.ts'
import { command, type Command } from '../command.ts'
import { keeperCapsOf } from '../home-keeper.ts'
import { withTrees } from '../tree-places.ts'

export const keeperAdd: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what to look after, or ALIAS: or ALIAS:PATH; only verify caps are kept',
      many: true,
      optional: true,
    },
  ],
  options: targetOptions,
  examples: [
    ['grid keeper add --all', 'look after every tree that has a name, and every backup log'],
    ['grid keeper add --cap-stdin < verify.caps', 'on another machine, which can read nothing'],
  ],
  async run(context, call) {
    const targets = await withTrees(context, (places) => readTargets(context, call, places))
    const added = await keeperCapsOf(context).add(capsOf(targets))
    const known = targets.length - added
    const text = `added ${added}${known > 0 ? `, ${known} were there` : ''}; next: grid keeper run`
    return { summary: { added, targets: targets.length }, text }
  },
})
