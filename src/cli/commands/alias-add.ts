import { GridError } from '../../base/errors.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { Cap } from '../../caps/cap.ts'
import { parseCap } from '../../caps/parse.ts'
import { treeCapsOf } from '../../files/aliases.ts'
import { capOptions, readCapLines } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { withTrees } from '../tree-places.ts'

export const aliasAdd: Command = command({
  arguments: [
    { name: 'NAME', summary: 'what to call the tree' },
    {
      name: 'CAP',
      summary: 'a LOG-Read cap, and a LOG-Append cap to change the tree; or a DIR-CHK cap',
      optional: true,
      many: true,
    },
  ],
  options: capOptions,
  examples: [
    [
      'grid alias add work --cap-file work.caps',
      'name a tree whose caps are in a file, one a line',
    ],
    ['grid alias add photos CAP', 'name a tree that may be read'],
  ],
  async run(context, { positionals, options }) {
    const [name, ...texts] = positionals
    const isElsewhere = options.capFile !== undefined || options.capStdin
    if (isElsewhere && texts.length > 0) throw new GridError('E_USAGE', 'there are caps too many')
    const caps = isElsewhere ? await readCapLines(options, context) : texts.map(parseCap)
    const tree = treeCapsOf(caps.map(weakened))
    return withTrees(context, async ({ aliases }) => {
      await aliases.add(name, tree)
      const changes = tree.append !== undefined
      const text = `${name} can be ${changes ? 'read and changed' : 'read'}`
      return { summary: { alias: name, capType: tree.read.type, changes }, text }
    })
  },
})

/** Nothing here needs an admin's cap, so it is not kept. */
function weakened(cap: Cap): Cap {
  return cap.type === 'LOG-Admin' ? attenuate(cap, 'LOG-Read') : cap
}
