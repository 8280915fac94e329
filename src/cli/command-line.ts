/** From the words of a command line to typed options, and from a command to its help. */
import { Command as Parser, CommanderError, Option as ParserOption } from 'commander'
import { GridError } from '../base/errors.ts'
import type { Call, Command, CommandEntry } from './command.ts'
import { globalOptions, isOn, longFlag, variableOf } from './global-options.ts'
import type { Option, Options, Values } from './option.ts'

export interface CommandLine {
  call: Call<Options>
  globals: Values<typeof globalOptions>
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the words behind the command's name; a text is the command's help, which was asked for.
 *
 * @throws E_USAGE
 */
export function readCommandLine(
  entry: CommandEntry,
  command: Command,
  words: readonly string[],
  env: Environment,
): CommandLine | string {
  const parser = parserOf(entry, command)
  try {
    parser.parse([...words], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return helpOf(entry, command)
    throw usageError(entry, error.message.replace(/^error: /, '').replaceAll('\n', ' '))
  }
  const given: Record<string, unknown> = parser.opts()
  const read = (options: Options, variables: Environment): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(options).map(([name, option]) => {
        const raw = given[parserOption(option).attributeName()]
        return [name, valueOf(entry, option, raw, variables)]
      }),
    )
  return {
    call: { positionals: parser.args, options: read(command.options, {}) as Values<Options> },
    globals: read(globalOptions, env) as Values<typeof globalOptions>,
  }
}

/** What `--help` says of a command. */
export function helpOf(entry: CommandEntry, command: Command): string {
  const examples = command.examples.map(([line, does]) => `  ${line}\n      ${does}\n`)
  return `${parserOf(entry, command).helpInformation()}\nExamples:\n${examples.join('')}`
}

function parserOf(entry: CommandEntry, command: Command): Parser {
  const parser = new Parser(`grid ${entry.name}`)
    .description(entry.summary)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'show this')
  for (const { name, summary, optional, many } of command.arguments) {
    const form = many === true ? `${name}...` : name
    parser.argument(optional === true ? `[${form}]` : `<${form}>`, summary)
  }
  for (const option of Object.values(command.options)) parser.addOption(parserOption(option))
  parser.optionsGroup('Options of every command:')
  for (const option of Object.values(globalOptions)) parser.addOption(parserOption(option))
  return parser
}

function parserOption(option: Option): ParserOption {
  const made = new ParserOption(option.flags, option.summary)
  if (option.kind !== 'list') return made
  return made.argParser((text, before: string[] | undefined) => [...(before ?? []), text])
}

function valueOf(
  entry: CommandEntry,
  option: Option,
  given: unknown,
  variables: Environment,
): unknown {
  if (option.kind === 'flag') {
    const on = longFlag(option).startsWith('--no-') ? given === false : given === true
    return on || isOn(variables, option)
  }
  const parse = (text: string, source: string): unknown => {
    const value = option.parse(text)
    if (value !== undefined) return value
    throw usageError(entry, `${source}: ${JSON.stringify(text)} is not ${option.expected}`)
  }
  if (option.kind === 'list') {
    return ((given as string[] | undefined) ?? []).map((text) => parse(text, longFlag(option)))
  }
  const variable = variables[variableOf(option)]
  if (typeof given === 'string') return parse(given, longFlag(option))
  return variable === undefined ? undefined : parse(variable, variableOf(option))
}

function usageError(entry: CommandEntry, message: string): GridError {
  return new GridError('E_USAGE', message, { hint: `run: grid help ${entry.name}` })
}
