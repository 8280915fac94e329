import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { rangeOption } from '../byte-range.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { formatElapsed } from '../duration.ts'
import { writeNewFile } from '../new-file.ts'
import { flag } from '../option.ts'
import { readSource } from '../place.ts'
import { readContent } from '../read-cap.ts'

export const get: Command = command({
  arguments: [
    {
      name: 'CAP',
      summary: 'what to fetch, or ALIAS:PATH; left out with --cap-file or --cap-stdin',
      optional: true,
    },
    { name: 'DEST', summary: 'the file to make; - is standard output', optional: true },
  ],
  options: {
    ...capOptions,
    range: rangeOption,
    force: flag('-f, --force', 'replace the file if it is there'),
  },
  examples: [
    ['grid get CAP photo.jpg', 'fetch a file; it appears once all of it is there'],
    ['grid get work:photos/a.jpg a.jpg', 'fetch a file of a tree'],
    ['grid get --cap-file photo.cap photo.jpg', 'keep the cap out of the list of processes'],
  ],
  sendsData: ({ positionals }) => positionals.at(-1) === '-',
  async run(context, call) {
    const { world, output } = context
    const { range, force } = call.options
    const { source, rest } = await readSource(call, context)
    const [target, ...more] = rest
    if (target === undefined || more.length > 0) {
      throw new GridError('E_USAGE', 'there has to be one file to make', {
        hint: 'name one, or give - for standard output',
      })
    }
    const startMs = world.clock.monotonicMs()
    const sizeBytes = await readContent(context, {
      source,
      range,
      async consume(pieces) {
        if (target !== '-') {
          await writeNewFile(target, pieces, { replace: force, random: world.random })
        } else {
          for await (const piece of pieces) await output.data(piece)
        }
      },
    })
    const elapsedMs = Math.round(world.clock.monotonicMs() - startMs)
    return {
      summary: { file: target, sizeBytes, elapsedMs },
      text: `${target}: ${formatByteSize(sizeBytes)} in ${formatElapsed(elapsedMs)}`,
    }
  },
})
