/** What a log that was found again holds, and how to get it back. */
import path from 'node:path'
import { defaultLogName } from '../backup/keyring.ts'
import { formatByteSize } from '../base/byte-size.ts'
import { plainText } from '../base/plain-text.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import type { Grid } from '../node/grid.ts'
import type { LogSnapshot } from '../node/readable-log.ts'
import type { Context, Outcome } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { conclusionText, exitOf } from './log-verdict.ts'

/** Hosts that are named. */
const shownHosts = 8

/**
 * Reads the log, tells its snapshots, and says what to type next.
 *
 * @throws E_UNREACHABLE where no server has the log
 */
export async function showRecovered(
  { output, signal }: Context,
  grid: Grid,
  cap: CapOf<'LOG-Read'>,
  logName: string,
): Promise<Outcome> {
  const log = grid.logs.reader(cap)
  const view = await log.read({ signal })
  const { conclusion } = view
  const hosts = new Set<string>()
  let snapshots = 0
  let unreadable = 0
  let newest: (LogSnapshot & { snapshot: Snapshot }) | undefined
  for await (const each of log.snapshots(view, { signal })) {
    const { snapshot } = each
    if (snapshot === undefined) {
      unreadable++
      continue
    }
    snapshots++
    hosts.add(plainText(snapshot.host, 40))
    newest = { ...each, snapshot }
  }
  if (conclusion.state !== 'FRESH') await output.warning(conclusionText(conclusion))
  if (unreadable > 0) await output.warning(`${unreadable} snapshots cannot be read`, { unreadable })
  const command = newest === undefined ? undefined : restoreCommand(newest.snapshot, logName)
  const names = [...hosts].slice(0, shownHosts).join(', ')
  const lines =
    newest === undefined
      ? ['the log is there, and has no snapshot yet']
      : [
          `${snapshots} snapshots of ${hosts.size === 1 ? names : `${hosts.size} hosts: ${names}`}`,
          `the newest: ${timeOf(newest)}, ${plainText(newest.snapshot.host, 40)}, ${pathsOf(newest.snapshot)}, ${formatByteSize(newest.snapshot.totals.bytes)}`,
          `next: ${command}`,
        ]
  const { state, answered, quorum } = conclusion
  const newestTime = newest === undefined ? undefined : new Date(newest.clientMs).toISOString()
  await output.item(
    { snapshots, unreadable, hosts: [...hosts], newest: newestTime, next: command },
    lines.join('\n'),
  )
  const isSound = state === 'FRESH' || state === 'STALE-POSSIBLE'
  return {
    summary: { log: logName, snapshots, state, answered, quorum },
    exit: isSound ? exitCodes.ok : exitOf(conclusion),
  }
}

/** `grid restore latest:data DEST`: of what was backed up, where that is one thing. */
function restoreCommand({ paths, run }: Snapshot, logName: string): string {
  const texts = new TextDecoder()
  const root = run === undefined ? undefined : texts.decode(run.root)
  const only = paths.length === 1 ? texts.decode(paths[0]) : undefined
  const below = root === undefined || only === undefined ? '' : path.posix.relative(root, only)
  const isPlain = /^[\w@%+=,./-]+$/.test(below) && !below.startsWith('..')
  const log = logName === defaultLogName ? '' : ` --log ${logName}`
  return `grid restore latest${isPlain ? `:${below}` : ''} DEST${log}`
}

function timeOf({ clientMs }: LogSnapshot): string {
  return `${new Date(clientMs).toISOString().slice(0, 19).replace('T', ' ')}Z`
}

function pathsOf({ paths }: Snapshot): string {
  const [first, ...others] = paths
  if (first === undefined) return 'no path'
  const shown = plainText(new TextDecoder().decode(first), 60)
  return others.length === 0 ? shown : `${shown} and ${others.length} more`
}
