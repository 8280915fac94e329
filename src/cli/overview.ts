/** What `grid --help` says, and `grid help log`. It loads no command, so that it comes at once. */
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

/** The commands whose first word is the only one of `words`; undefined where there are none. */
export function groupOverview(
  commands: readonly CommandEntry[],
  [noun, ...more]: readonly string[],
): string | undefined {
  const group = commands.filter(({ name }) => name.startsWith(`${noun} `))
  if (more.length > 0 || group.length === 0) return undefined
  return [
    ...columns(group.map(({ name, summary }) => [name, summary])),
    '',
    `grid help ${noun} COMMAND says more about one.`,
  ].join('\n')
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([left, right]) => `  ${left.padEnd(22)}  ${right}`)
}
