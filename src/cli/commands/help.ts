import { helpOf } from '../command-line.ts'
import { command, type Command } from '../command.ts'
import { findCommand } from '../find-command.ts'
import { groupOverview, overview } from '../overview.ts'

export const help: Command = command({
  arguments: [{ name: 'COMMAND', summary: 'one or two words', optional: true, many: true }],
  options: {},
  examples: [
    ['grid help', 'list the commands'],
    ['grid help log', 'list those that begin so'],
    ['grid help cap inspect', 'say how one of them is used'],
  ],
  async run({ commands, output }, { positionals }) {
    if (positionals.length === 0) {
      const text = overview(commands)
      await output.item({ help: text }, text)
      return { summary: {} }
    }
    const group = groupOverview(commands, positionals)
    // a word may be a command, and begin others
    const isCommand = commands.some(({ name }) => name === positionals[0])
    if (group !== undefined && !isCommand) {
      await output.item({ help: group }, group)
      return { summary: {} }
    }
    const { entry } = findCommand(commands, positionals)
    const text = [helpOf(entry, await entry.load()).trimEnd(), group].filter(Boolean).join('\n\n')
    await output.item({ command: entry.name, help: text }, text)
    return { summary: {} }
  },
})
