import { version } from '../../base/version.ts'
import { command, type Command } from '../command.ts'

export const showVersion: Command = command({
  arguments: [],
  options: {},
  examples: [['grid version --json', 'print them for a program']],
  async run({ output }) {
    const facts = { grid: version, node: process.versions.node, platform: process.platform }
    await output.item(facts, `grid ${version} (Node ${facts.node}, ${facts.platform})`)
    return { summary: facts }
  },
})
