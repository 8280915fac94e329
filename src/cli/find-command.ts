/** Which command a line means: its words may stand anywhere among the options of every command. */
import { GridError } from '../base/errors.ts'
import { globalOptions, longFlag } from './global-options.ts'
import type { CommandEntry } from './command.ts'

export interface FoundCommand {
  entry: CommandEntry
  /** All that is left of the line. */
  rest: string[]
}

const takesValue = new Set(
  Object.values(globalOptions)
    .filter(({ kind }) => kind !== 'flag')
    .map(longFlag),
)

/** The one of `commands` whose words `argv` has first. @throws E_USAGE */
export function findCommand(
  commands: readonly CommandEntry[],
  argv: readonly string[],
): FoundCommand {
  if (argv[0] === '--version') return findCommand(commands, ['version', ...argv.slice(1)])
  const places = wordsOf(argv)
  const [noun, verb] = places.map((at) => argv[at])
  if (noun === undefined) throw unknown('there is no command')
  const named = (name: string): CommandEntry | undefined =>
    commands.find((candidate) => candidate.name === name)
  const alone = named(noun)
  // beside a command of one word, the second must stand right behind: it may be the value of an option
  const mayHaveVerb = alone === undefined || places[1] === places[0] + 1
  const whole = mayHaveVerb ? named(`${noun} ${verb ?? ''}`) : undefined
  const entry = whole ?? alone
  if (entry !== undefined) {
    const words = places.slice(0, whole === undefined ? 1 : 2)
    return { entry, rest: argv.filter((_, at) => !words.includes(at)) }
  }

  const verbs = commands.filter(({ name }) => name.startsWith(`${noun} `))
  if (verbs.length === 0) throw unknown(`there is no command ${JSON.stringify(noun)}`)
  const names = verbs.map(({ name }) => name.slice(noun.length + 1)).join(', ')
  throw unknown(`${noun}: expected one of ${names}`)
}

/** Where the first two words are that are neither options nor values of options. */
function wordsOf(argv: readonly string[]): number[] {
  const words: number[] = []
  for (let at = 0; at < argv.length && words.length < 2; at++) {
    const word = argv[at]
    if (word === '--') break
    if (word.startsWith('-') && word !== '-') {
      if (takesValue.has(word)) at++
    } else {
      words.push(at)
    }
  }
  return words
}

function unknown(message: string): GridError {
  return new GridError('E_USAGE', message, { hint: 'run: grid help' })
}
