import { formatByteSize } from '../../base/byte-size.ts'
import { describeCap } from '../../caps/describe.ts'
import { capOptions, readOnlyCap } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'

export const capInspect: Command = command({
  arguments: [{ name: 'CAP', summary: 'the cap', optional: true }],
  options: capOptions,
  examples: [['grid cap inspect --cap-file photo.cap', 'say what the cap in a file opens']],
  async run(context, call) {
    const { type, ...facts } = describeCap(await readOnlyCap(call, context))
    const { rights, storageIndex, logId, k, n, sizeBytes } = facts
    const rows: [string, string | undefined][] = [
      ['type', type],
      ['rights', rights.join(', ')],
      ['storage index', storageIndex],
      ['log', logId],
      ['shares', k === undefined ? undefined : `any ${k} of ${n}`],
      ['size', sizeBytes === undefined ? undefined : formatByteSize(sizeBytes)],
    ]
    const lines = rows.filter(([, value]) => value !== undefined)
    const text = lines.map(([name, value]) => `${`${name}:`.padEnd(15)}${value}`).join('\n')
    await context.output.item({ capType: type, ...facts }, text)
    return { summary: { capType: type } }
  },
})
