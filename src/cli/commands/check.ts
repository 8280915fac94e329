import type { CheckDepth } from '../../node/check/check-run.ts'
import { CheckTally } from '../../node/check/check-tally.ts'
import type { Grid } from '../../node/grid.ts'
import { capsOf, readTargets, type Target, targetOptions, targetWords } from '../check-targets.ts'
import { depthOf, depthOptions, exitOf, FoundLines, tallyFacts, warnOf } from '../check-lines.ts'
import { command, type Command, type Context } from '../command.ts'
import { withTrees } from '../tree-places.ts'

export const check: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what to check, or ALIAS: or ALIAS:PATH; a verify cap will do',
      many: true,
      optional: true,
    },
  ],
  options: { ...targetOptions, ...depthOptions },
  examples: [
    ['grid check work:', 'find out whether all versions of a tree are where they should be'],
    ['grid check --all --sample 5%', 'look into a twentieth of all shares'],
    ['grid check --cap-file verify.cap --verify', 'check every byte, without a key to read it'],
  ],
  async run(context, call) {
    const depth = depthOf(call.options)
    return withTrees(context, async (places) => {
      const { grid } = places
      const targets = await readTargets(context, call, places)
      const tally = await tallyOf(context, grid, targets, depth)
      await warnOf(context, grid, tally)
      const again = `grid repair ${depth.whole ? '--verify ' : ''}${targetWords(call)}`
      const next = tally.isRepairable ? { next: again } : {}
      const facts = { targets: targets.length, ...tallyFacts(tally), ...next }
      const said = textOf(tally, depth)
      if (!tally.isRepairable) return { summary: facts, text: said, exit: exitOf(tally) }
      context.output.note(said)
      const text = `next: ${again}`
      return { summary: facts, text, exit: exitOf(tally) }
    })
  },
})

async function tallyOf(
  context: Context,
  grid: Grid,
  targets: readonly Target[],
  depth: CheckDepth,
): Promise<CheckTally> {
  const { signal, progress } = context
  const tally = new CheckTally()
  const task = progress.start('checking', undefined)
  let bytes = 0
  try {
    const onHidden = tally.hide.bind(tally)
    const lines = new FoundLines(context, () => grid.upkeep.candidates())
    for await (const batch of grid.upkeep.check(capsOf(targets), { depth, onHidden, signal })) {
      for (const found of batch) {
        tally.add(found)
        bytes += found.object.ciphertextBytes ?? 0
        await lines.add(found)
      }
      task.advance(bytes, `${tally.objects} objects: ${tally.text}`)
    }
    lines.end()
    return tally
  } finally {
    task.end()
  }
}

function textOf(tally: CheckTally, { whole }: CheckDepth): string {
  const { objects, looked, leastServers, hiddenCount } = tally
  if (objects === 0) return hiddenCount > 0 ? 'nothing could be checked' : 'there is nothing stored'
  const how = whole ? 'every byte' : `${looked} shares looked into`
  const unknown = hiddenCount > 0 ? `, and ${hiddenCount} parts could not be looked into` : ''
  return `${objects} objects: ${tally.text}${unknown}; the least is on ${leastServers} servers (${how})`
}
