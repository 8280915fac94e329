import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { openFile } from '../../node/encoder/file-source.ts'
import type { Grid } from '../../node/grid.ts'
import { readTargets, type Target, targetOptions } from '../check-targets.ts'
import { depthOf, depthOptions } from '../check-lines.ts'
import { command, type Command, type Context, type Outcome } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { mendTargets } from '../mend-run.ts'
import { text, value } from '../option.ts'
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
    fromLocal: text(
      '--from-local <FILE>',
      'make the shares of a file that was put from here out of the file itself',
    ),
  },
  examples: [
    ['grid repair work:', 'put the shares that are missing of all versions of a tree'],
    ['grid repair --cap-file a.cap --from-local a.jpg', 'where too few shares are left'],
    ['grid repair --all --verify', 'check every byte first, and replace what is damaged'],
  ],
  async run(context, call) {
    const { below, fromLocal } = call.options
    return withTrees(context, async (places) => {
      const targets = await readTargets(context, call, places)
      if (fromLocal !== undefined) return repairLocally(context, places.grid, targets, fromLocal)
      const atMost = below === undefined ? undefined : () => below - 1
      return mendTargets(context, places.grid, targets, { depth: depthOf(call.options), atMost })
    })
  },
})

async function repairLocally(
  { signal, progress }: Context,
  grid: Grid,
  targets: readonly Target[],
  name: string,
): Promise<Outcome> {
  const [target, ...more] = targets
  if (target?.cap === undefined || more.length > 0)
    throw new GridError('E_USAGE', '--from-local takes one cap, of the file that it names')
  const file = openFile(name)
  const task = progress.start('repairing', file.sizeBytes)
  try {
    const { objects, servers, wanted, ...report } = await grid.upkeep.repairFrom(target.cap, file, {
      signal,
    })
    file.checkUnchanged()
    const { written, writtenBytes } = report
    const size = formatByteSize(writtenBytes)
    const text = `${objects} objects: ${written} shares written (${size}); the least is on ${servers} servers`
    const exit = servers < wanted ? exitCodes.notEnoughServers : exitCodes.ok
    return { summary: { objects, sharesWritten: written, writtenBytes, servers }, text, exit }
  } finally {
    task.end()
    file.close()
  }
}
