import { GridError } from '../../base/errors.ts'
import { rangeOption } from '../byte-range.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { readSource } from '../place.ts'
import { readContent } from '../read-cap.ts'

export const cat: Command = command({
  arguments: [{ name: 'CAP', summary: 'what to read, or ALIAS:PATH', optional: true }],
  options: { ...capOptions, range: rangeOption },
  examples: [
    ['grid cat --cap-file mail.cap | tar x', 'hand a stored file to another program'],
    ['grid cat work:notes.txt', 'print a file of a tree'],
    ['grid cat --range 0-511 CAP', 'read the first 512 bytes'],
  ],
  sendsData: () => true,
  async run(context, call) {
    const { source, rest } = await readSource(call, context)
    if (rest.length > 0) throw new GridError('E_USAGE', 'there is more than one cap')
    const sizeBytes = await readContent(context, {
      source,
      range: call.options.range,
      async consume(pieces) {
        for await (const piece of pieces) await context.output.data(piece)
      },
    })
    return { summary: { sizeBytes } }
  },
})
