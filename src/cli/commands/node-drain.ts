import { toBase32 } from '../../base/base32.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { publicKeyOfSeed } from '../../base/ed25519.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { setDraining } from '../../node/home/draining.ts'
import { identityOf } from '../../node/home/identity.ts'
import { openHome } from '../../node/home/home.ts'
import { reachNode } from '../../node/running/own-verbs.ts'
import { type DrainedLogs, logsBoundTo } from '../../node/repair/drain-logs.ts'
import type { DrainReport } from '../../node/repair/drain-store.ts'
import { socketOf } from '../../node/home/node-socket.ts'
import { processWriters } from '../../node/peers/store-writers.ts'
import { connectUnix } from '../../node/net/unix-net.ts'
import { DiskLogStore } from '../../storage/disk-log-store.ts'
import { DiskStore } from '../../storage/disk-store.ts'
import { command, type Command, type Context, type Outcome } from '../command.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { readHomeConfig } from '../home-config.ts'
import { flag } from '../option.ts'

/** What the owner of a log runs, who has its admin cap. */
const move = 'grid log move'
/** Lines for people about single logs, at most. */
const maxLines = 50

export const nodeDrain: Command = command({
  arguments: [],
  options: { undo: flag('--undo', 'let it take shares again, from its next start') },
  examples: [
    ['grid node drain', 'move what this node keeps, and learn when it may be switched off'],
    ['grid node drain --undo', 'keep it after all'],
  ],
  async run(context, { options: { undo } }) {
    const { home, world } = context
    const { storage } = await readHomeConfig(context)
    if (!storage.enabled) throw new GridError('E_USAGE', 'this node keeps no shares')
    await setDraining({ home, disk: world.disk }, !undo)
    if (undo)
      return { summary: { draining: false }, text: 'it takes shares again once it is restarted' }
    await stopTaking(context)
    const { identitySeed } = await openHome(home)
    const { id } = identityOf(identitySeed)
    const report = await drained(context, storage.directory, id)
    const logs = await boundLogs(context, storage.directory, publicKeyOfSeed(identitySeed))
    return outcomeOf(context, report, logs)
  },
})

/** A node that does not run reads the mark when it starts. */
async function stopTaking({ home, world: { clock } }: Context): Promise<void> {
  try {
    const node = await reachNode(() => connectUnix(socketOf(home)), { clock })
    try {
      await node.stopTaking()
    } finally {
      node.close()
    }
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE', 'E_CLOSED')) throw error
  }
}

async function drained(context: Context, root: string, id: string): Promise<DrainReport> {
  const { world, signal, progress, home, trace } = context
  const store = new DiskStore({ disk: world.disk, root, writers: processWriters })
  await store.open()
  const grid = await world.openGrid({ home, trace })
  const task = progress.start('moving shares', undefined)
  try {
    return await grid.upkeep.drain(store, id, {
      signal,
      onProgress: ({ shares, moved, movedBytes }) => {
        task.advance(movedBytes, `${moved} of ${shares} shares moved`)
      },
    })
  } finally {
    task.end()
    await grid.close()
  }
}

async function boundLogs(
  { world, signal }: Context,
  root: string,
  ownKey: Uint8Array,
): Promise<DrainedLogs> {
  const store = new DiskLogStore({ disk: world.disk, root, writers: processWriters })
  await store.open()
  return logsBoundTo(store, ownKey, { signal })
}

/** Each log that has to be moved, to whoever may know whose it is. */
async function tellLogs({ output }: Context, { bound, unreadable }: DrainedLogs): Promise<void> {
  for (const [i, { logId, servers, quorum }] of bound.entries()) {
    const log = toBase32(logId)
    const text = `log ${log} counts on this node: one of ${servers} servers, of which ${quorum} must answer`
    if (output.json || i < maxLines) await output.item({ log, servers, quorum, next: move }, text)
  }
  if (bound.length > maxLines)
    output.note(`and ${bound.length - maxLines} more logs; --json tells of all`)
  for (const logId of unreadable)
    await output.warning(`log ${toBase32(logId)} cannot be read here`, { log: toBase32(logId) })
}

async function outcomeOf(
  context: Context,
  report: DrainReport,
  logs: DrainedLogs,
): Promise<Outcome> {
  const { output } = context
  const { verdicts, ...counts } = report
  const { shares, moved, there, stuck, damaged, failed, movedBytes } = counts
  for (const { peerId, code, message } of verdicts.values())
    await output.warning(`${peerId}: ${message}`, { peerId, code })
  await tellLogs(context, logs)
  const isEmpty = stuck + failed === 0
  const isBound = logs.bound.length + logs.unreadable.length > 0
  const parts = [
    `${shares} shares: ${moved} moved (${formatByteSize(movedBytes)}), ${there} were elsewhere`,
    damaged > 0 ? `${damaged} are damaged here, and need a repair` : '',
    stuck > 0 ? `${stuck} find no server that has none of their object` : '',
    failed > 0 ? `${failed} failed; run it again` : '',
    logs.bound.length > 0
      ? `${logs.bound.length} of ${logs.logs} logs count on this node, until their owners run: ${move}`
      : '',
    logs.unreadable.length > 0 ? `${logs.unreadable.length} logs cannot be read here` : '',
    isEmpty && !isBound ? 'the node may be switched off' : 'do not switch the node off yet',
  ]
  return {
    summary: {
      ...{ draining: true, ...counts, logs: logs.logs, boundLogs: logs.bound.length },
      ...{ unreadableLogs: logs.unreadable.length, mayBeSwitchedOff: isEmpty && !isBound },
    },
    text: parts.filter((part) => part !== '').join('; '),
    exit: exitOf(isEmpty, isBound),
  }
}

/** Shares that have no other place are lost with the node; logs only lose one of their servers. */
function exitOf(isEmpty: boolean, isBound: boolean): ExitCode {
  if (!isEmpty) return exitCodes.notEnoughServers
  return isBound ? exitCodes.partlyDone : exitCodes.ok
}
