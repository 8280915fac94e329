/** What `grid --help` says. It loads no command, so that it comes at once. */
import { globalOptions } from './global-options.ts'
import type { CommandEntry } from './command.ts'

export function overview(commands: readonly CommandEntry[]): string {
  return [
    'grid keeps files on servers that you do not have to trust.',
    '',
    'Usage: grid COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options of every command:',
    ...columns(Object.values(globalOptions).map(({ flags, summary }) => [flags, summary])),
    ...columns([['-h, --help', 'how a command is used']]),
    '',
    'grid help COMMAND says more about one. "-" is standard input or output.',
  ].join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([left, right]) => `  ${left.padEnd(22)}  ${right}`)
}
