import { GridError } from '../../base/errors.ts'
import { copyEdits } from '../../files/copy-edits.ts'
import type { Edit } from '../../files/edit-tree.ts'
import { formatPath } from '../../files/path.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import type { TreeView } from '../../files/tree-view.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'
import { command, type Command } from '../command.ts'
import { parseTreePlaces, type TreePlace } from '../place.ts'
import { changed, destinationIn, isWithin } from '../tree-edits.ts'
import { shownPlace, type TreePlaces, withTrees } from '../tree-places.ts'

export const mv: Command = command({
  arguments: [
    {
      name: 'PLACES',
      summary: 'what to move, ALIAS:PATH, and last the new name or a directory to take it',
      many: true,
    },
  ],
  options: {},
  examples: [
    ['grid mv work:a.txt work:b.txt', 'rename a file'],
    ['grid mv work:a work:b archive:2026/', 'move to another tree'],
  ],
  async run(context, { positionals }) {
    const all = parseTreePlaces(positionals)
    const [target, sources] = [all[all.length - 1], all.slice(0, -1)]
    if (sources.length === 0) throw new GridError('E_USAGE', 'there is no place to move it to')
    const { signal } = context
    return withTrees(context, async (places) => {
      const away = sources.filter((place) => !places.isOne(place, target))
      // Whether they may be removed there is known before anything is changed.
      for (const place of away) await (await places.files(place)).change(async () => [], { signal })
      const files = await places.files(target)
      const commit = await files.change(
        async (view) => {
          const edits: Edit[] = []
          for (const source of sources)
            for await (const edit of moveEdits(places, view, source, target, sources.length > 1))
              edits.push(edit)
          return edits
        },
        { signal },
      )
      for (const { path, ...place } of away) {
        const other = await places.files({ path, ...place })
        await other.change(async () => [{ path, remove: true }], { signal })
      }
      const text = `moved ${sources.length} to ${shownPlace(target)}`
      return changed(commit, { moved: sources.length, to: shownPlace(target) }, text)
    })
  },
})

async function* moveEdits(
  places: TreePlaces,
  view: TreeView,
  source: TreePlace,
  target: TreePlace,
  several: boolean,
): AsyncGenerator<Edit> {
  const isHere = places.isOne(source, target)
  const from = isHere ? view : (await places.tree(source)).view
  const { entry } = await from.get(source.path)
  if (entry === undefined) throw new GridError('E_USAGE', 'the root of a tree cannot be moved')
  const path = await destinationIn(view, target, entry.name, several)
  if (isHere && isWithin(path, source.path)) {
    if (path.length === source.path.length) return
    throw new GridError('E_USAGE', `${shownPlace(source)} cannot be moved into itself`)
  }
  await checkReplaceable(view, path, entry)
  yield* copyEdits(from, entry, path)
  if (isHere) yield { path: source.path, remove: true }
}

/** A file may take the place of a file, and nothing that of a directory. */
async function checkReplaceable(
  view: TreeView,
  path: TreePlace['path'],
  entry: DirectoryEntry,
): Promise<void> {
  const found = await view.find(path)
  if (found === undefined || (!isDirectory(found.entry) && !isDirectory(entry))) return
  throw new GridError('E_EXISTS', `${formatPath(path)} is there already`)
}
