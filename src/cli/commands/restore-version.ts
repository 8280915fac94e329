import { findVersion } from '../../files/file-tree.ts'
import { command, type Command } from '../command.ts'
import { parseTreePlace } from '../place.ts'
import { changed } from '../tree-edits.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const restoreVersion: Command = command({
  arguments: [
    { name: 'PLACE', summary: 'the file or directory, ALIAS:PATH' },
    { name: 'VERSION', summary: 'as grid history shows it, or its beginning' },
  ],
  options: {},
  examples: [
    ['grid restore-version work:letter.odt 3f1c9a2b', 'make a file again what it was in a version'],
  ],
  async run(context, { positionals: [text, key] }) {
    const place = parseTreePlace(text)
    const { signal } = context
    return withTrees(context, async (places) => {
      const files = await places.files(place)
      const version = findVersion(await files.versions({ signal }), key)
      const commit = await files.restore(place.path, version, { signal })
      const shown = shownPlace(place)
      return changed(commit, { path: shown, from: key }, `${shown} is what it was in ${key}`)
    })
  },
})
