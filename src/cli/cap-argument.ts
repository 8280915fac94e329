/**
 * Where a command's cap comes from: an argument, which other users of the machine may see in the
 * list of processes, or a file or standard input, which they may not.
 */
import { readFile, stat } from 'node:fs/promises'
import { untilAborted } from '../base/deadline.ts'
import { asGridError, GridError } from '../base/errors.ts'
import type { Cap } from '../caps/cap.ts'
import { parseCap } from '../caps/parse.ts'
import type { Context } from './command.ts'
import { type Flag, flag, text, type Value } from './option.ts'

export const capOptions: { capFile: Value<string>; capStdin: Flag } = {
  capFile: text('--cap-file <FILE>', 'read the cap from a file, so that no other user sees it'),
  capStdin: flag('--cap-stdin', 'read the cap from standard input'),
}

export interface CapSource {
  /** The arguments, the cap first unless it comes from elsewhere. */
  positionals: readonly string[]
  options: { capFile: string | undefined; capStdin: boolean }
}

type CapContext = Pick<Context, 'world' | 'signal'>

/** As much as is ever read; a cap is a tenth of it. */
const maxCapBytes = 4096

/**
 * The cap of a call, and the arguments that are left.
 *
 * @throws E_USAGE, E_FILE, or the errors of `parseCap`
 */
export async function readCap(
  { positionals, options }: CapSource,
  context: CapContext,
): Promise<{ cap: Cap; rest: readonly string[] }> {
  const { capFile, capStdin } = options
  if (capFile !== undefined || capStdin) {
    const lines = await readLines(options, context)
    if (lines.length === 1) return { cap: parseCap(lines[0]), rest: positionals }
    const where = capFile ?? 'standard input'
    throw new GridError('E_USAGE', `${where} holds ${lines.length} caps, and one is needed`, {
      hint: 'put it into a file of its own',
    })
  }
  const [first, ...rest] = positionals
  if (first === undefined) throw usage('there is no cap')
  return { cap: parseCap(first), rest }
}

/** As `readCap`, where nothing may be left. */
export async function readOnlyCap(source: CapSource, context: CapContext): Promise<Cap> {
  const { cap, rest } = await readCap(source, context)
  if (rest.length > 0) throw usage('there is more than one cap')
  return cap
}

/** As many caps as there are lines, from a file or standard input. */
export async function readCapLines(
  options: CapSource['options'],
  context: CapContext,
): Promise<Cap[]> {
  return (await readLines(options, context)).map(parseCap)
}

async function readLines(
  { capFile, capStdin }: CapSource['options'],
  context: CapContext,
): Promise<string[]> {
  if (capFile !== undefined && capStdin) throw usage('give --cap-file or --cap-stdin, not both')
  const text = capFile === undefined ? await readAll(context) : await readFileOf(capFile)
  return text.split('\n').filter((line) => line.trim() !== '')
}

async function readFileOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > maxCapBytes) throw new Error('too long for a cap')
    return await readFile(path, 'utf8')
  } catch (error) {
    throw asGridError(error, 'E_FILE', `cannot read ${path}`)
  }
}

async function readAll({ world, signal }: CapContext): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of untilAborted(world.stdin, signal)) {
    pieces.push(piece)
    length += piece.length
    if (length > maxCapBytes) throw usage('standard input is too long for a cap')
  }
  return Buffer.concat(pieces).toString('utf8')
}

function usage(message: string): GridError {
  return new GridError('E_USAGE', message, {
    hint: 'give the cap as an argument, or with --cap-file or --cap-stdin',
  })
}
