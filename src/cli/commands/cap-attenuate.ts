import { attenuate } from '../../caps/attenuate.ts'
import { capTypes } from '../../caps/cap-table.ts'
import { capFingerprint } from '../../caps/describe.ts'
import { formatCompactCap } from '../../caps/compact.ts'
import { formatCap } from '../../caps/text.ts'
import { capOptions, readOnlyCap } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { choice, flag } from '../option.ts'

export const capAttenuate: Command = command({
  arguments: [{ name: 'CAP', summary: 'the stronger cap', optional: true }],
  options: {
    ...capOptions,
    to: choice('--to <TYPE>', 'type of the weaker cap (one step weaker)', capTypes),
    compact: flag('--compact', 'print it as one word, to select by a double click'),
  },
  examples: [
    ['grid cap attenuate --cap-file photo.cap', 'let a helper check and repair, but not read'],
    ['grid cap attenuate --to LOG-Verify --cap-stdin', 'go down more than one step'],
  ],
  async run(context, call) {
    const { to, compact } = call.options
    const cap = await readOnlyCap(call, context)
    const weaker = to === undefined ? attenuate(cap) : attenuate(cap, to)
    const text = compact ? formatCompactCap(weaker) : formatCap(weaker)
    await context.output.item({ cap: text }, text)
    return { summary: { capType: weaker.type, fingerprint: capFingerprint(weaker) } }
  },
})
