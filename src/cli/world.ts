/** What a command can reach of the machine: made once, by run.ts; a test passes its own. */
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Random } from '../base/random.ts'
import type { Trace } from '../base/trace.ts'
import type { Grid } from '../node/grid.ts'
import type { Home } from '../node/home/home.ts'

/** Where text goes. */
export interface Sink {
  readonly isTerminal: boolean
  /** Width of a terminal in characters. */
  readonly columns: number
  /** Whether its reader has gone away. */
  readonly isBroken: boolean
  /** Resolves when more can be taken; rejects with E_INTERRUPTED once its reader has gone away. */
  write(data: string | Uint8Array): Promise<void>
}

/**
 * The line that is typed after `question`, which is not shown if it is `hidden`.
 *
 * @throws E_INTERRUPTED where the user gives up, or the signal aborts
 */
export type Ask = (
  question: string,
  options: { hidden?: boolean; signal: AbortSignal },
) => Promise<string>

export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's home directory. */
  readonly userDirectory: string
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly stdin: AsyncIterable<Uint8Array>
  readonly stdout: Sink
  readonly stderr: Sink
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly ask: Ask | undefined
  /** Aborts with E_INTERRUPTED on the user's wish. */
  readonly signal: AbortSignal
  /** The grid of an initialised home, for whoever asks to close. Throws what `openGrid` of the node throws. */
  openGrid(options: { home: Home; trace: Trace }): Promise<Grid>
  /** Opens a log to append lines to, for its owner alone. */
  openLog(path: string): Promise<(line: string) => void>
}
