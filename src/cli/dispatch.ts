/** One line in, one exit code out: finds the command, gives it what it needs, and says how it ended. */
import path from 'node:path'
import { withDeadline } from '../base/deadline.ts'
import { version } from '../base/version.ts'
import { homeAt } from '../node/home/home.ts'
import type { CommandLine } from './command-line.ts'
import type { Command, Outcome } from './command.ts'
import { type ExitCode, exitCodeFor, exitCodes } from './exit-codes.ts'
import { findCommand } from './find-command.ts'
import { globalOptions, isOn } from './global-options.ts'
import { Output } from './output.ts'
import { overview } from './overview.ts'
import { noProgress, type Progress, progressLine, TimedProgress } from './progress.ts'
import { registry } from './registry.ts'
import { Screen } from './screen.ts'
import { scrub } from '../caps/scrub.ts'
import { lineTrace } from './trace-lines.ts'
import type { World } from './world.ts'

type Globals = CommandLine['globals']

/** Runs the command that `argv` names. Never rejects. */
export async function dispatch(argv: readonly string[], world: World): Promise<ExitCode> {
  const screen = new Screen(world.stderr)
  const json = argv.includes('--json') || isOn(world.env, globalOptions.json)
  let output = outputOf(world, screen, { json }, false)
  try {
    if (argv.every((word) => word === '--help' || word === '-h')) {
      await world.stdout.write(`${overview(registry)}\n`)
      return argv.length > 0 ? exitCodes.ok : exitCodes.usage
    }
    const { entry, rest } = findCommand(registry, argv)
    const command = await entry.load()
    const { readCommandLine } = await import('./command-line.ts')
    const line = readCommandLine(entry, command, rest, world.env)
    if (typeof line === 'string') {
      await world.stdout.write(line)
      return exitCodes.ok
    }
    output = outputOf(world, screen, line.globals, command.sendsData?.(line.call) ?? false)
    return await perform(entry.name, command, line, world, screen, output)
  } catch (error) {
    if (world.stdout.isBroken) return exitCodes.interrupted
    await output.error(error)
    return exitCodeFor(error)
  }
}

async function perform(
  name: string,
  command: Command,
  { call, globals }: CommandLine,
  world: World,
  screen: Screen,
  output: Output,
): Promise<ExitCode> {
  const { clock } = world
  const { timeout, logFile } = globals
  const trace = lineTrace(clock, [
    ...(globals.verbose ? [(line: string) => screen.print(line)] : []),
    ...(logFile === undefined ? [] : [await world.openLog(logFile)]),
  ])
  trace.event('start', { command: name, version })
  const home = homeAt(globals.home ?? path.join(world.userDirectory, '.grid'))
  const progress = progressOf(world, screen, output, globals)
  const context = { world, commands: registry, home, output, progress, trace }
  const run = async (signal: AbortSignal): Promise<Outcome> => {
    try {
      return await command.run({ ...context, signal }, call)
    } catch (error) {
      throw signal.aborted ? signal.reason : error // what follows from a stop is not its cause
    }
  }
  try {
    const { signal } = world
    const outcome =
      timeout === undefined
        ? await run(signal)
        : await withDeadline(clock, timeout, run, { signal })
    const { summary, text, exit = exitCodes.ok } = outcome
    await output.summary(summary, text)
    trace.event('end', { exit })
    return exit
  } catch (error) {
    trace.event('error', { stack: error instanceof Error ? error.stack : String(error) })
    throw error
  }
}

function outputOf(
  world: World,
  screen: Screen,
  globals: Partial<Globals>,
  dataOnStdout: boolean,
): Output {
  const { color = 'auto', json = false, quiet = false } = globals
  const noColour = (world.env.NO_COLOR ?? '') !== ''
  const colour = color === 'always' || (color === 'auto' && screen.isTerminal && !noColour)
  return new Output({ stdout: world.stdout, screen, json, dataOnStdout, quiet, colour })
}

function progressOf({ clock }: World, screen: Screen, output: Output, globals: Globals): Progress {
  if (globals.noProgress || globals.quiet) return noProgress
  if (globals.json) {
    return new TimedProgress(clock, 1000, (facts) => {
      if (facts !== undefined) output.progress({ ...facts })
    })
  }
  if (!screen.isTerminal) {
    return new TimedProgress(clock, 10_000, (facts) => {
      if (facts !== undefined) output.note(progressLine(facts))
    })
  }
  return new TimedProgress(clock, 100, (facts) => {
    screen.draw(facts === undefined ? '' : scrub(progressLine(facts)))
  })
}
