/** What a log that was found again holds, and how to get it back. */
import path from 'node:path'
import { defaultLogName } from '../backup/keys/keyring.ts'
import { type OpenSnapshot, Snapshots } from '../backup/snapshots.ts'
import { formatByteSize } from '../base/byte-size.ts'
import { plainText } from '../base/plain-text.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import type { Grid } from '../node/grid.ts'
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
  const found = await Snapshots.open(grid.logs.reader(cap), { signal })
  const { conclusion } = found.view
  const hosts = new Set<string>()
  let snapshots = 0
  let unreadable = 0
  let newest: OpenSnapshot | undefined
  for await (const each of found.newestFirst({}, { signal })) {
    const { snapshot } = each
    if (snapshot === undefined) {
      unreadable++
      continue
    }
    snapshots++
    hosts.add(plainText(snapshot.host, 40))
    newest ??= { ...each, snapshot }
  }
  if (conclusion.state !== 'FRESH') await output.warning(conclusionText(conclusion))
  if (unreadable > 0) await output.warning(`${unreadable} snapshots cannot be read`, { unreadable })
  const command = newest === undefined ? undefined : restoreCommand(newest.snapshot, logName)
  const names = [...hosts].slice(0, shownHosts).join(', ')
  const count = snapshots === 1 ? '1 snapshot' : `${snapshots} snapshots`
  const lines =
    newest === undefined
      ? ['the log is there, and has no snapshot yet']
      : [
          `${count} of ${hosts.size === 1 ? names : `${hosts.size} hosts: ${names}`}`,
          `the newest: ${isoOf(newest).slice(0, 19).replace('T', ' ')}Z, ${plainText(newest.snapshot.host, 40)}, ${pathsOf(newest.snapshot)}, ${formatByteSize(newest.snapshot.totals.bytes)}`,
          `next: ${command}`,
        ]
  const { state, answered, quorum } = conclusion
  const newestTime = newest === undefined ? undefined : isoOf(newest)
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

/** By the servers' receipts, where enough of them vouch for a time. */
function isoOf({ receivedMs, clientMs }: OpenSnapshot): string {
  const date = new Date(receivedMs ?? clientMs)
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString()
}

function pathsOf({ paths }: Snapshot): string {
  const [first, ...others] = paths
  if (first === undefined) return 'no path'
  const shown = plainText(new TextDecoder().decode(first), 60)
  return others.length === 0 ? shown : `${shown} and ${others.length} more`
}
