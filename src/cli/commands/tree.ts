import { formatName } from '../../files/path.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import { command, type Command } from '../command.ts'
import { factsOfEntry } from '../entry-lines.ts'
import { parseTreePlace } from '../place.ts'
import { withTrees } from '../tree-places.ts'

export const tree: Command = command({
  arguments: [{ name: 'PLACE', summary: 'the directory to draw, ALIAS:PATH or a cap' }],
  options: {},
  examples: [['grid tree work:photos', 'draw a directory and all below it']],
  async run(context, { positionals: [text] }) {
    const place = parseTreePlace(text)
    return withTrees(context, async (trees) => {
      const { view } = await trees.tree(place)
      const count = { directories: 0, files: 0 }
      const directory = await view.directory(place.path)
      for await (const { path, entry } of view.walk(directory, { signal: context.signal })) {
        const isBranch = isDirectory(entry)
        count[isBranch ? 'directories' : 'files']++
        const line = `${'  '.repeat(path.length - 1)}${formatName(entry.name)}${isBranch ? '/' : ''}`
        await context.output.item(factsOfEntry([...place.path, ...path], entry, false), line)
      }
      return { summary: count, text: `${count.directories} directories, ${count.files} files` }
    })
  },
})
