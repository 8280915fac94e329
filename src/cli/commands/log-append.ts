import os from 'node:os'
import { utf8 } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { version } from '../../base/version.ts'
import { attenuate } from '../../caps/attenuate.ts'
import { directoryOfCap } from '../../tree/directory-cap.ts'
import { totalsOf } from '../../node/content/tree-totals.ts'
import { capOptions, readCap } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'
import { deviceName, headText, logCap } from '../log-cap.ts'
import { flag, list, text } from '../option.ts'

export const logAppend: Command = command({
  arguments: [
    { name: 'CAP', summary: 'the LOG-Append cap', optional: true },
    {
      name: 'FILE',
      summary: 'holds the DIR-CHK cap of what was stored; - is standard input',
      optional: true,
    },
  ],
  options: {
    ...capOptions,
    host: text('--host <NAME>', "where it was stored; the machine's name if absent"),
    label: text('--label <TEXT>', 'what the snapshot is called'),
    path: list('--path <PATH>', 'what was stored; may be given again'),
    partial: flag('--partial', 'say that something was left out'),
  },
  examples: [['grid log append --cap-file laptop.cap tree.cap', 'add a directory to the log']],
  async run(context, call) {
    const { signal, output } = context
    const { host = os.hostname(), label = '', path, partial } = call.options
    const { cap, rest } = await logCap(call, context, 'LOG-Append')
    const [file, ...more] = rest
    if (file === undefined || more.length > 0) {
      throw new GridError('E_USAGE', 'give one file that holds the cap of the directory', {
        hint: 'give - to read that cap from standard input',
      })
    }
    const source = { capFile: file === '-' ? undefined : file, capStdin: file === '-' }
    const read = await readCap({ positionals: [], options: source }, context)
    const directory = attenuate(read.cap, 'DIR-CHK')
    const grid = await openHomeGrid(context)
    try {
      const device = await grid.logs.device(cap, { signal })
      const totals = await totalsOf(grid.trees, directoryOfCap(directory), { signal })
      const paths = path.map(utf8)
      const facts = { cap: directory, host, label, paths, tool: `grid ${version}`, totals, partial }
      const { seq, id, receipts, servers } = await grid.logs.append(cap, facts, { signal })
      const head = headText(deviceName(device.label, device.author), seq, id)
      await output.item({ head, seq, ...totals, receipts: receipts.length }, head)
      return {
        summary: { seq, receipts: receipts.length, servers: servers.length },
        text: `committed: ${receipts.length} of ${servers.length} log servers have it`,
      }
    } finally {
      await grid.close()
    }
  },
})
