import { rangeOption } from '../byte-range.ts'
import { capOptions, readOnlyCap } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { readContent } from '../read-cap.ts'

export const cat: Command = command({
  arguments: [{ name: 'CAP', summary: 'what to read', optional: true }],
  options: { ...capOptions, range: rangeOption },
  examples: [
    ['grid cat --cap-file mail.cap | tar x', 'hand a stored file to another program'],
    ['grid cat --range 0-511 CAP', 'read the first 512 bytes'],
  ],
  sendsData: () => true,
  async run(context, call) {
    const cap = await readOnlyCap(call, context)
    const sizeBytes = await readContent(context, {
      cap,
      range: call.options.range,
      async consume(pieces) {
        for await (const piece of pieces) await context.output.data(piece)
      },
    })
    return { summary: { sizeBytes } }
  },
})
