import path from 'node:path'
import { formatByteSize } from '../../base/byte-size.ts'
import { untilAborted } from '../../base/deadline.ts'
import { GridError } from '../../base/errors.ts'
import { openFile, readWhole } from '../../node/encoder/file-source.ts'
import type { Grid, PutOptions } from '../../node/grid.ts'
import type { PutReport } from '../../node/put-report.ts'
import { smallInputBytes } from '../../node/content/placer.ts'
import { command, type Command, type Context, type Outcome } from '../command.ts'
import { copyToTree } from '../copy-to-tree.ts'
import { openHomeGrid } from '../home-grid.ts'
import { formatElapsed } from '../duration.ts'
import { choice } from '../option.ts'
import { parsePlace, type TreePlace } from '../place.ts'
import { redundancyOf, redundancyOptions } from '../redundancy-options.ts'
import { shownPlace, withTrees } from '../tree-places.ts'

export const put: Command = command({
  arguments: [
    {
      name: 'FILE',
      summary: 'what to store; - is standard input; last perhaps ALIAS:PATH to put it into a tree',
      many: true,
    },
  ],
  options: {
    ...redundancyOptions,
    convergence: choice(
      '--convergence <KIND>',
      'account: an equal file gives an equal cap; random: it never does',
      ['account', 'random'],
    ),
  },
  examples: [
    ['grid put photo.jpg', 'store a file and print its cap'],
    ['grid put photo.jpg work:photos/', 'store a file in a tree'],
    ['tar c mail | grid put - > mail.cap', 'store what another program writes'],
  ],
  async run(context, { positionals, options }) {
    const { world, output } = context
    const { convergence } = options
    const redundancy = redundancyOf(options)
    const chosen = { ...(redundancy && { redundancy }), ...(convergence && { convergence }) }
    const target = treeTargetOf(positionals)
    if (target !== undefined) {
      if (redundancy !== undefined || convergence !== undefined)
        throw new GridError('E_USAGE', 'how a tree is stored is not chosen file by file')
      return putIntoTree(context, positionals.slice(0, -1), target)
    }
    const startMs = world.clock.monotonicMs()
    const notes = new Set<string>()
    let sizeBytes = 0
    const grid = await openHomeGrid(context)
    try {
      for (const file of positionals) {
        const report = await putOne(context, grid, file, chosen)
        sizeBytes += report.sizeBytes
        for (const note of report.notes) notes.add(note)
        await output.item({ file, ...report }, report.cap)
      }
    } finally {
      await grid.close()
    }
    for (const note of notes) output.note(note)
    const elapsedMs = Math.round(world.clock.monotonicMs() - startMs)
    return {
      summary: { files: positionals.length, sizeBytes, elapsedMs },
      text: `stored ${formatByteSize(sizeBytes)} in ${formatElapsed(elapsedMs)}`,
    }
  },
})

/** The last of several arguments, if it is a place in a tree. */
function treeTargetOf(positionals: readonly string[]): TreePlace | undefined {
  const last = positionals.length > 1 ? parsePlace(positionals[positionals.length - 1]) : undefined
  return last?.kind === 'tree' ? last : undefined
}

async function putIntoTree(
  context: Context,
  names: readonly string[],
  target: TreePlace,
): Promise<Outcome> {
  const sources = names.map((path) => ({ kind: 'local' as const, path }))
  const copy = { sources, target, recursive: false, noClobber: false }
  return withTrees(context, async (places) => {
    const { count, version } = await copyToTree(context, places, copy)
    const { files, bytes: sizeBytes } = count
    return {
      summary: { files, sizeBytes, ...(version !== undefined && { version }) },
      text: `stored ${formatByteSize(sizeBytes)} in ${shownPlace(target)}`,
    }
  })
}

async function putOne(
  { world, signal, progress }: Context,
  grid: Grid,
  name: string,
  chosen: PutOptions,
): Promise<PutReport> {
  const file = name === '-' ? undefined : openFile(name)
  const task = progress.start(path.basename(name), file?.sizeBytes)
  const options = { ...chosen, signal, onProgress: (bytes: number) => task.advance(bytes) }
  try {
    if (file === undefined) {
      return await grid.put({ stream: untilAborted(world.stdin, signal) }, options)
    }
    const { fd, sizeBytes } = file
    const input =
      sizeBytes <= smallInputBytes ? { stream: [readWhole(file)], sizeBytes } : { fd, sizeBytes }
    const report = await grid.put(input, options)
    file.checkUnchanged()
    return report
  } finally {
    task.end()
    file?.close()
  }
}
