import { formatName } from '../../files/path.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'
import { command, type Command } from '../command.ts'
import { factsOfEntry, kindOf } from '../entry-lines.ts'
import { nameMatcher } from '../name-pattern.ts'
import { choice, text } from '../option.ts'
import { parseTreePlace } from '../place.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

const kinds = { f: 'file', d: 'directory', l: 'symlink' } as const

export const find: Command = command({
  arguments: [{ name: 'PLACE', summary: 'where to look, ALIAS:PATH or a cap' }],
  options: {
    name: text('--name <PATTERN>', 'names such as *.jpg: * is any text, ? any character'),
    type: choice('--type <LETTER>', 'f: files, d: directories, l: symbolic links', ['f', 'd', 'l']),
  },
  examples: [["grid find work: --name '*.jpg' --type f", 'find pictures, wherever they are']],
  async run(context, { positionals: [text], options }) {
    const place = parseTreePlace(text)
    const matches = options.name === undefined ? () => true : nameMatcher(options.name)
    const kind = options.type && kinds[options.type]
    const isWanted = (entry: DirectoryEntry): boolean =>
      (kind === undefined || kindOf(entry) === kind) && matches(formatName(entry.name))
    return withTrees(context, async (trees) => {
      const { view } = await trees.tree(place)
      const directory = await view.directory(place.path)
      let count = 0
      for await (const { path, entry } of view.walk(directory, { signal: context.signal })) {
        if (!isWanted(entry)) continue
        count++
        const whole = [...place.path, ...path]
        const shown = shownPlace({ ...place, path: whole })
        await context.output.item(factsOfEntry(whole, entry, false), shown)
      }
      return { summary: { entries: count } }
    })
  },
})
