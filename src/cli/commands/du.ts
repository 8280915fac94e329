import { isDirectory } from '../../tree/same-entry.ts'
import { sizeOfEntry } from '../../tree/entry.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { command, type Command } from '../command.ts'
import { parseTreePlaces } from '../place.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const du: Command = command({
  arguments: [{ name: 'PLACE', summary: 'what to add up, ALIAS:PATH or a cap', many: true }],
  options: {},
  examples: [['grid du work: work:photos', 'add up the files of a tree, and of one directory']],
  async run(context, { positionals }) {
    return withTrees(context, async (trees) => {
      let total = 0
      for (const place of parseTreePlaces(positionals)) {
        const { entry, tree } = await trees.find(place)
        const sum = { bytes: 0, files: 0, directories: 0 }
        if (entry !== undefined && !isDirectory(entry)) {
          sum.bytes += sizeOfEntry(entry) ?? 0
          sum.files++
        } else {
          const directory = entry === undefined ? tree.view.root : entry.content
          for await (const { entry } of tree.view.walk(directory, { signal: context.signal })) {
            sum[isDirectory(entry) ? 'directories' : 'files']++
            sum.bytes += sizeOfEntry(entry) ?? 0
          }
        }
        const { bytes: sizeBytes, files, directories } = sum
        total += sizeBytes
        const path = shownPlace(place)
        const line = `${formatByteSize(sizeBytes).padStart(10)}  ${files} files  ${directories} directories  ${path}`
        await context.output.item({ path, sizeBytes, files, directories }, line)
      }
      return { summary: { sizeBytes: total } }
    })
  },
})
