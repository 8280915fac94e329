import { command, type Command } from '../command.ts'
import { capTextOf, factsOfEntry, formatMode, formatTime, kindOf } from '../entry-lines.ts'
import { flag } from '../option.ts'
import { parseTreePlaces } from '../place.ts'
import { shownPlace, withTrees } from '../tree-places.ts'
import { sizeOfEntry } from '../../tree/entry.ts'

export const stat: Command = command({
  arguments: [{ name: 'PLACE', summary: 'what to look at, ALIAS:PATH', many: true }],
  options: { cap: flag('--cap', 'print its cap too: whoever sees it can read') },
  examples: [['grid stat work:photos/a.jpg', 'say all that the tree knows of a file']],
  async run(context, { positionals, options }) {
    const { output } = context
    return withTrees(context, async (trees) => {
      for (const place of parseTreePlaces(positionals)) {
        const { entry } = await trees.find(place)
        if (entry === undefined) {
          await output.item({ path: '', kind: 'directory' }, `${place.shown}  directory, the root`)
          continue
        }
        const size = sizeOfEntry(entry)
        const parts = [
          shownPlace(place),
          size === undefined ? kindOf(entry) : `${kindOf(entry)} of ${size} bytes`,
          formatMode(entry),
          formatTime(entry.mtime),
          ...(entry.meta.owner === undefined ? [] : [`owner ${JSON.stringify(entry.meta.owner)}`]),
          ...(entry.meta.fuzzy === true ? ['changed while it was read'] : []),
          ...(options.cap ? [capTextOf(entry) ?? 'no cap names it'] : []),
        ]
        await output.item(factsOfEntry(place.path, entry, options.cap), parts.join('\n  '))
      }
      return { summary: { entries: positionals.length } }
    })
  },
})
