import { GridError } from '../../base/errors.ts'
import type { Edit } from '../../files/edit-tree.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import { command, type Command } from '../command.ts'
import { flag } from '../option.ts'
import { parseTreePlaces } from '../place.ts'
import { changed } from '../tree-edits.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const rm: Command = command({
  arguments: [{ name: 'PLACE', summary: 'what to remove, ALIAS:PATH', many: true }],
  options: {
    recursive: flag('-r, --recursive', 'remove directories and all below them'),
    force: flag('-f, --force', 'no error for what is not there'),
  },
  examples: [['grid rm -r work:photos/2019', 'remove a directory; older versions still have it']],
  async run(context, { positionals, options }) {
    const all = parseTreePlaces(positionals)
    return withTrees(context, async (places) => {
      const [first] = all
      if (!all.every((place) => places.isOne(place, first)))
        throw new GridError('E_USAGE', 'what is removed at once has to be in one tree')
      const files = await places.files(first)
      const commit = await files.change(
        async (view) => {
          const edits: Edit[] = []
          for (const place of all) {
            if (place.path.length === 0) throw new GridError('E_USAGE', 'the root stays')
            const found = await view.find(place.path)
            if (found === undefined && options.force) continue
            const { entry } = found ?? (await view.get(place.path))
            if (isDirectory(entry) && !options.recursive)
              throw new GridError('E_FILE', `${shownPlace(place)} is a directory`, {
                hint: 'give -r to remove all of it',
              })
            edits.push({ path: place.path, remove: true })
          }
          return edits
        },
        { signal: context.signal },
      )
      const text = `removed ${all.length}; older versions keep it until they are pruned`
      return changed(commit, { removed: all.length }, text)
    })
  },
})
