import { plainText } from '../../base/plain-text.ts'
import { formatVersion, type PathVersion } from '../../files/file-tree.ts'
import { command, type Command } from '../command.ts'
import { capTextOf, factsOfEntry, formatTime, kindOf } from '../entry-lines.ts'
import { flag } from '../option.ts'
import { parseTreePlace, type TreePlace } from '../place.ts'
import { withTrees } from '../tree-places.ts'
import { sizeOfEntry } from '../../tree/entry.ts'

export const history: Command = command({
  arguments: [{ name: 'PLACE', summary: 'the file or directory, ALIAS:PATH' }],
  options: { cap: flag('--cap', 'print the caps too: whoever sees them can read') },
  examples: [['grid history work:letter.odt', 'list the versions in which a file changed']],
  async run(context, { positionals: [text], options }) {
    const place = parseTreePlace(text)
    return withTrees(context, async (places) => {
      const files = await places.files(place)
      let count = 0
      for await (const found of files.history(place.path, { signal: context.signal })) {
        count++
        const { version, entry, snapshot } = found
        const key = formatVersion(version.entry.id)
        const time = timeOf(found)
        const facts = {
          version: key,
          time,
          device: version.device,
          host: snapshot.host,
          ...(snapshot.label !== '' && { label: snapshot.label }),
          ...(place.path.length > 0 && entry === undefined && { removed: true }),
          ...(entry && factsOfEntry(place.path, entry, options.cap)),
        }
        const cap = options.cap && entry !== undefined ? [capTextOf(entry) ?? '-'] : []
        const parts = [key, time, plainText(version.device, 40), ...stateOf(place, found), ...cap]
        await context.output.item(facts, parts.join('  '))
      }
      return { summary: { versions: count } }
    })
  },
})

function timeOf({ version }: PathVersion): string {
  return formatTime({ seconds: Math.floor(version.clientMs / 1000), nanoseconds: 0 })
}

/** Of a root there is no entry, and it is never removed. */
function stateOf({ path }: TreePlace, { entry }: PathVersion): string[] {
  if (path.length === 0) return []
  if (entry === undefined) return ['removed']
  const size = sizeOfEntry(entry)
  return [size === undefined ? kindOf(entry) : `${size} bytes`]
}
