import { command, type Command } from '../command.ts'
import { aliasesOf } from '../home-aliases.ts'

export const aliasRm: Command = command({
  arguments: [{ name: 'NAME', summary: 'the alias to forget' }],
  options: {},
  examples: [['grid alias rm work', 'forget the caps of a tree; the tree stays']],
  async run(context, { positionals: [name] }) {
    await aliasesOf(context).remove(name)
    return { summary: { alias: name }, text: `${name} is forgotten here; the tree stays` }
  },
})
