/** The real machine: the only place that makes clocks, disks and randomness, and ends the process. */
import { setMaxListeners } from 'node:events'
import os from 'node:os'
import { SystemClock } from '../base/clock.ts'
import { SystemDisk } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import { SystemRandom } from '../base/random.ts'
import { dispatch } from './dispatch.ts'
import { exitCodes } from './exit-codes.ts'
import { collectSeldom } from './heap.ts'
import { openLogFile } from './log-file.ts'
import { scrub } from '../caps/scrub.ts'
import { StreamSink } from './stream-sink.ts'
import type { Ask, World } from './world.ts'

/**
 * Runs the process's command line to its end. The first SIGINT, SIGTERM or SIGHUP, or a reader of
 * stdout that goes away, asks the command to stop; the second ends it at once.
 */
export async function run(): Promise<never> {
  collectSeldom()
  setMaxListeners(0) // many parts of one command wait for one signal, and Node would warn of it
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(exitCodes.interrupted)
      stop.abort(new GridError('E_INTERRUPTED', `stopped by ${signal}`, { facts: { signal } }))
    })
  }
  const dieOf = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`${scrub(`error: internal error: ${message}`)}\n`)
    process.exit(exitCodes.failure)
  }
  process.on('uncaughtException', dieOf)
  process.on('unhandledRejection', dieOf)

  const exit = await dispatch(process.argv.slice(2), {
    env: process.env,
    userDirectory: os.homedir(),
    clock: new SystemClock(),
    random: new SystemRandom(),
    disk: new SystemDisk(),
    stdin: process.stdin,
    stdout: new StreamSink(process.stdout, (failure) => {
      stop.abort(failure)
    }),
    stderr: new StreamSink(process.stderr),
    ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
    signal: stop.signal,
    openGrid,
    openLog: async (path) => openLogFile(path),
  })
  process.exit(exit)
}

/** Loaded when somebody is asked. */
const ask: Ask = async (question, options) =>
  (await import('./terminal.ts')).askTerminal(question, options)

/** Loaded when it is needed: most of the code that there is hangs on it. */
const openGrid: World['openGrid'] = async (options) => {
  const [node, { environmentOverrides }] = await Promise.all([
    import('../node/open-grid.ts'),
    import('../node/home/config.ts'),
  ])
  const engine = process.env.GRID_RS === 'package' ? 'package' : undefined
  return node.openGrid({ ...options, overrides: environmentOverrides(process.env), engine })
}
