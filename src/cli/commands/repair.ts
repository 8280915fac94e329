import { readTargets, targetOptions } from '../check-targets.ts'
import { depthOf, depthOptions } from '../check-lines.ts'
import { command, type Command } from '../command.ts'
import { mendTargets } from '../mend-run.ts'
import { value } from '../option.ts'
import { withTrees } from '../tree-places.ts'

export const repair: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what to repair, or ALIAS: or ALIAS:PATH; a verify cap will do',
      many: true,
      optional: true,
    },
  ],
  options: {
    ...targetOptions,
    ...depthOptions,
    below: value(
      '--below <N>',
      'leave alone what has N shares or more; all that lack one are repaired unless given',
      'a number of 1 to 255',
      (given) => (/^[1-9]\d{0,2}$/.test(given) && Number(given) <= 255 ? Number(given) : undefined),
    ),
  },
  examples: [
    ['grid repair work:', 'put the shares that are missing of all versions of a tree'],
    ['grid repair --all --verify', 'check every byte first, and replace what is damaged'],
  ],
  async run(context, call) {
    const { below } = call.options
    return withTrees(context, async (places) => {
      const targets = await readTargets(context, call, places)
      const atMost = below === undefined ? undefined : () => below - 1
      return mendTargets(context, places.grid, targets, { depth: depthOf(call.options), atMost })
    })
  },
})
