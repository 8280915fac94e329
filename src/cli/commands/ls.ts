import { command, type Command, type Context } from '../command.ts'
import { capTextOf, factsOfEntry, longLine } from '../entry-lines.ts'
import { flag } from '../option.ts'
import { parseTreePlaces, type TreePlace } from '../place.ts'
import { type TreePlaces, withTrees } from '../tree-places.ts'
import { formatName, formatPath, type Path } from '../../files/path.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'

interface Listing {
  long: boolean
  recursive: boolean
  all: boolean
  cap: boolean
}

const dot = 0x2e

export const ls: Command = command({
  arguments: [{ name: 'PLACE', summary: 'what to list, ALIAS:PATH or a cap', many: true }],
  options: {
    long: flag('-l, --long', 'print mode, size and time too'),
    recursive: flag('-R, --recursive', 'list all that is below, by path'),
    all: flag('-a, --all', 'list names that begin with a dot too'),
    cap: flag('--cap', 'print the caps too: whoever sees them can read'),
  },
  examples: [
    ['grid ls work:', 'list the top of a tree'],
    ['grid ls -lR work:photos', 'list all below a directory'],
  ],
  async run(context, { positionals, options }) {
    return withTrees(context, async (trees) => {
      let count = 0
      for (const place of parseTreePlaces(positionals))
        count += await listPlace(context, trees, place, options)
      return { summary: { entries: count } }
    })
  },
})

async function listPlace(
  context: Context,
  trees: TreePlaces,
  place: TreePlace,
  listing: Listing,
): Promise<number> {
  const { entry, tree } = await trees.find(place)
  const { view } = tree
  if (entry !== undefined && !isDirectory(entry)) {
    await show(context, place.path, entry, formatPath(place.path), listing)
    return 1
  }
  let count = 0
  const isShown = ({ name }: DirectoryEntry): boolean => listing.all || name[0] !== dot
  const directory = entry === undefined ? view.root : entry.content
  const enter = (walked: { entry: DirectoryEntry }): boolean =>
    listing.recursive && isShown(walked.entry)
  for await (const { path, entry } of view.walk(directory, { enter, signal: context.signal })) {
    if (!isShown(entry)) continue
    const name = listing.recursive ? formatPath(path) : formatName(entry.name)
    await show(context, [...place.path, ...path], entry, name, listing)
    count++
  }
  return count
}

async function show(
  { output }: Context,
  path: Path,
  entry: DirectoryEntry,
  name: string,
  { long, cap }: Listing,
): Promise<void> {
  const line = long ? longLine(entry, name) : name
  const text = cap ? `${line}  ${capTextOf(entry) ?? '-'}` : line
  await output.item(factsOfEntry(path, entry, cap), text)
}
