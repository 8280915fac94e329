import { GridError } from '../../base/errors.ts'
import { command, type Command } from '../command.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { copyToLocal } from '../copy-to-local.ts'
import { copyToTree } from '../copy-to-tree.ts'
import { exitCodes } from '../exit-codes.ts'
import { flag } from '../option.ts'
import { parsePlace, type TreePlace } from '../place.ts'
import { withTrees } from '../tree-places.ts'

export const cp: Command = command({
  arguments: [
    {
      name: 'PLACES',
      summary: 'what to copy, local or ALIAS:PATH or a cap, and last where to',
      many: true,
    },
  ],
  options: {
    recursive: flag('-r, --recursive', 'copy directories and all below them'),
    force: flag('-f, --force', 'replace local files that are there'),
    noClobber: flag('-n, --no-clobber', 'replace nothing in the tree'),
  },
  examples: [
    ['grid cp -r photos work:', 'store a directory in a tree'],
    ['grid cp -r work:photos restored', 'fetch a directory; replaces nothing without -f'],
    ['grid cp work:a.jpg archive:b.jpg', 'copy within the grid; nothing is sent'],
  ],
  async run(context, { positionals, options }) {
    const all = positionals.map(parsePlace)
    const [target, sources] = [all[all.length - 1], all.slice(0, -1)]
    if (sources.length === 0) throw new GridError('E_USAGE', 'there is no place to copy it to')
    const copy = { sources, ...options }
    return withTrees(context, async (places) => {
      const { count, version } =
        target.kind === 'tree'
          ? await copyToTree(context, places, { ...copy, target })
          : await copyToLocal(context, places, {
              ...copy,
              target: target.path,
              sources: treesAmong(all.slice(0, -1)),
            })
      const { files, bytes: sizeBytes, directories, skipped } = count
      const whole = directories > 0 ? `, ${directories} directories with all in them` : ''
      const left = skipped > 0 ? `, ${skipped} left out` : ''
      return {
        summary: {
          files,
          sizeBytes,
          directories,
          skipped,
          ...(version !== undefined && { version }),
        },
        text: `copied ${files} files, ${formatByteSize(sizeBytes)}${whole}${left}`,
        exit: skipped > 0 ? exitCodes.partlyDone : exitCodes.ok,
      }
    })
  },
})

function treesAmong(sources: readonly ReturnType<typeof parsePlace>[]): TreePlace[] {
  return sources.map((source) => {
    if (source.kind === 'tree') return source
    throw new GridError('E_USAGE', 'neither end is in a tree', {
      hint: 'name one as ALIAS:PATH, such as work:photos',
    })
  })
}
