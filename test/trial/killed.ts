/** Runs the built command line and kills it with SIGKILL after a time. */
import { spawn } from 'node:child_process'
import { program } from './command.ts'

export interface Killed {
  /** False where it had ended before. */
  killed: boolean
  /** Heads of snapshots that it said were committed, each `DEVICE:NUMBER:ID`. */
  heads: string[]
}

/**
 * Runs `grid WORDS --json` with a home, in a process group of its own.
 *
 * @param afterMs - from the start of the process
 * @param isGroup - whether all of its group is killed, or the process alone
 */
export async function killGrid(
  home: string,
  words: readonly string[],
  { afterMs, isGroup }: { afterMs: number; isGroup: boolean },
): Promise<Killed> {
  const child = spawn(process.execPath, [program, ...words, '--json', '--home', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const timer = setTimeout(() => {
    if (isGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  }, afterMs)
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject).once('close', (_, killedBy) => resolve(killedBy))
  })
  clearTimeout(timer)
  const heads = [...text.matchAll(/"type":"item".*"head":"([^"]+)"/g)].map(([, head]) => head)
  return { killed: signal === 'SIGKILL', heads }
}
