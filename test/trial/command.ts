/** Runs the built command line as a user does: a process each. */
import { spawn } from 'node:child_process'
import path from 'node:path'

/** The built command line. */
export const program: string = path.resolve(import.meta.dirname, '../../bundle/grid.js')

export interface Ran {
  exit: number | null
  /** Lines of stdout, as JSON. */
  lines: Record<string, unknown>[]
  /** The last line: `summary` or `error`. */
  end: Record<string, unknown>
  seconds: number
}

/** Runs `grid WORDS --json` with a home; `input` goes to its standard input. `by` is another version of it. */
export async function grid(
  home: string,
  words: readonly string[],
  input = '',
  by: string = program,
): Promise<Ran> {
  const start = performance.now()
  const child = spawn(process.execPath, [by, ...words, '--json', '--home', home], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(input)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { exit, lines, end: lines.at(-1) ?? {}, seconds: (performance.now() - start) / 1000 }
}

/** As `grid`, and throws unless it ends with 0. */
export async function mustGrid(
  home: string,
  words: readonly string[],
  input = '',
  by: string = program,
): Promise<Ran> {
  const ran = await grid(home, words, input, by)
  if (ran.exit === 0) return ran
  throw new Error(`grid ${words.join(' ')}: exit ${ran.exit}: ${JSON.stringify(ran.end)}`)
}

/** Runs `grid WORDS` as a person does: what it prints to stdout. Throws unless it ends with 0. */
export async function printedBy(
  home: string,
  words: readonly string[],
  input = '',
): Promise<string> {
  const child = spawn(process.execPath, [program, ...words, '--quiet', '--home', home], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(input)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (exit === 0) return text
  throw new Error(`grid ${words.join(' ')}: exit ${exit}`)
}
