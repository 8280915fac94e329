import { GridError } from '../../base/errors.ts'
import type { Edit } from '../../files/edit-tree.ts'
import { command, type Command } from '../command.ts'
import { flag } from '../option.ts'
import { parseTreePlace } from '../place.ts'
import { newDirectory, parentOf } from '../tree-edits.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const mkdir: Command = command({
  arguments: [{ name: 'PLACE', summary: 'the directory to make, ALIAS:PATH' }],
  options: { parents: flag('-p, --parents', 'make those above too; no error if it is there') },
  examples: [['grid mkdir -p work:photos/2026', 'make a directory, and the one above it']],
  async run(context, { positionals: [text], options }) {
    const place = parseTreePlace(text)
    const { world, signal } = context
    return withTrees(context, async (places) => {
      const files = await places.files(place)
      const commit = await files.change(
        async (view): Promise<Edit[]> => {
          const found = await view.find(place.path)
          const isThere = found !== undefined
          if (isThere && options.parents && (found.entry?.kind ?? 'directory') === 'directory')
            return []
          if (isThere) throw new GridError('E_EXISTS', `${shownPlace(place)} is there already`)
          if (!options.parents) await view.directory(parentOf(place.path))
          return [{ path: place.path, directory: newDirectory(world.clock) }]
        },
        { signal },
      )
      return { summary: { path: shownPlace(place), changed: commit !== undefined } }
    })
  },
})
