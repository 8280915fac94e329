import { formatCap } from '../../caps/text.ts'
import { command, type Command } from '../command.ts'
import { flag } from '../option.ts'
import { aliasesOf } from '../home-aliases.ts'

export const aliasLs: Command = command({
  arguments: [],
  options: { cap: flag('--cap', 'print the caps too: whoever sees them has what they give') },
  examples: [['grid alias ls', 'list the trees that have a name, and what this home may do']],
  async run(context, { options }) {
    const aliases = aliasesOf(context)
    const names = await aliases.names()
    for (const alias of names) {
      const { read, append } = await aliases.get(alias)
      const may = read.type === 'DIR-CHK' ? 'never changes' : append ? 'read, change' : 'read'
      const caps = [read, ...(append ? [append] : [])].map(formatCap)
      const shown = options.cap ? ['', ...caps].join('\n  ') : ''
      const facts = { alias, capType: read.type, changes: append !== undefined }
      await context.output.item(
        { ...facts, ...(options.cap && { caps }) },
        `${alias}:  ${may}${shown}`,
      )
    }
    return { summary: { aliases: names.length } }
  },
})
