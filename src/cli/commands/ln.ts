import { GridError } from '../../base/errors.ts'
import type { Edit } from '../../files/edit-tree.ts'
import { formatPath } from '../../files/path.ts'
import { utf8 } from '../../base/bytes.ts'
import { copyEdits } from '../../files/copy-edits.ts'
import { checkName } from '../../tree/entry.ts'
import { command, type Command } from '../command.ts'
import { flag } from '../option.ts'
import { parseTreePlace } from '../place.ts'
import { changed, destinationIn, newDirectory } from '../tree-edits.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const ln: Command = command({
  arguments: [
    { name: 'TARGET', summary: 'ALIAS:PATH of what is there; with -s what the link says' },
    { name: 'PLACE', summary: 'the new name, ALIAS:PATH' },
  ],
  options: { symbolic: flag('-s, --symbolic', 'make a symbolic link, which only says a path') },
  examples: [
    ['grid ln work:a.jpg work:best/a.jpg', 'give a file a second name; it takes no more space'],
    ['grid ln -s ../a.jpg work:best/b.jpg', 'make a symbolic link'],
  ],
  async run(context, { positionals: [target, text], options }) {
    const place = parseTreePlace(text)
    return withTrees(context, async (places) => {
      const source = options.symbolic ? undefined : parseTreePlace(target)
      const found = source && (await places.find(source))
      const entry = found?.entry
      if (source !== undefined && entry === undefined)
        throw new GridError('E_USAGE', 'the root of a tree has no second name')
      const files = await places.files(place)
      const commit = await files.change(
        async (view) => {
          const name = entry?.name ?? lastNameOf(target)
          const path = await destinationIn(view, place, name, false)
          if ((await view.find(path)) !== undefined)
            throw new GridError('E_EXISTS', `${formatPath(path)} is there already`)
          if (found === undefined || entry === undefined) {
            const attributes = { ...newDirectory(context.world.clock), mode: 0o777 }
            const link = { name: path[path.length - 1], kind: 'symlink' as const }
            return [{ path, entry: { ...attributes, ...link, content: utf8(target) } }]
          }
          const edits: Edit[] = []
          for await (const edit of copyEdits(found.tree.view, entry, path)) edits.push(edit)
          return edits
        },
        { signal: context.signal },
      )
      return changed(commit, { path: shownPlace(place) }, `made ${shownPlace(place)}`)
    })
  },
})

/** The last name of what a link says; undefined if that is none, as in `..`. */
function lastNameOf(target: string): Uint8Array | undefined {
  const name = utf8(target.split('/').at(-1) ?? '')
  try {
    checkName(name)
    return name
  } catch {
    return undefined
  }
}
