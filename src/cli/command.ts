/**
 * What a command is: data about how it is called, and `run`. The runner does all else: parsing,
 * help, JSON, progress, errors and exit codes, so no command can lack one of them.
 */
import type { Trace } from '../base/trace.ts'
import type { Home } from '../node/home/home.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Facts, Output } from './output.ts'
import type { Progress } from './progress.ts'
import type { World } from './world.ts'
import type { Options, Values } from './option.ts'

export interface Argument {
  /** As in the usage line, such as `FILE`. */
  name: string
  summary: string
  optional?: boolean
  /** Takes all that are left; the last one only. */
  many?: boolean
}

/** How a command was called. */
export interface Call<O extends Options> {
  readonly positionals: readonly string[]
  readonly options: Values<O>
}

/** What a command gets from the runner. */
export interface Context {
  readonly world: World
  /** All that there are, for help. */
  readonly commands: readonly CommandEntry[]
  /** The home that was asked for; it may not be initialised. */
  readonly home: Home
  /** Aborts on the user's wish and at the deadline of --timeout. */
  readonly signal: AbortSignal
  readonly output: Output
  readonly progress: Progress
  readonly trace: Trace
}

/** How a command ended well, or partly well. */
export interface Outcome {
  /** Facts of the JSON summary: plain data, no cap. */
  summary: Facts
  /** The same in a line for people, on stderr. */
  text?: string
  /** 0 unless told otherwise. */
  exit?: ExitCode
}

export interface CommandSpec<O extends Options> {
  arguments: readonly Argument[]
  options: O
  /** What to type, at least one, and what it does. */
  examples: readonly (readonly [line: string, does: string])[]
  /** Whether stdout carries data, so that JSON lines go to stderr. */
  sendsData?: (call: Call<O>) => boolean
  run(context: Context, call: Call<O>): Promise<Outcome>
}

/** A command whose options the runner treats as data. */
export type Command = CommandSpec<Options>

/** A command's line in the list of all. */
export interface CommandEntry {
  /** One word, or a noun and a verb. */
  readonly name: string
  /** Begins with a verb, no full stop. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Ties `run` to the types of its options, then forgets them. */
export function command<const O extends Options>(spec: CommandSpec<O>): Command {
  return spec as unknown as Command
}
