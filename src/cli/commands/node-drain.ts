import { formatByteSize } from '../../base/byte-size.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { setDraining } from '../../node/home/draining.ts'
import { identityOf } from '../../node/home/identity.ts'
import { openHome } from '../../node/home/home.ts'
import { reachNode } from '../../node/running/own-verbs.ts'
import type { DrainReport } from '../../node/repair/drain-store.ts'
import { socketOf } from '../../node/home/node-socket.ts'
import { processWriters } from '../../node/peers/store-writers.ts'
import { connectUnix } from '../../node/net/unix-net.ts'
import { DiskStore } from '../../storage/disk-store.ts'
import { command, type Command, type Context, type Outcome } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { readHomeConfig } from '../home-config.ts'
import { flag } from '../option.ts'

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
    return outcomeOf(context, report)
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

async function outcomeOf({ output }: Context, report: DrainReport): Promise<Outcome> {
  const { verdicts, ...counts } = report
  const { shares, moved, there, stuck, damaged, failed, movedBytes } = counts
  for (const { peerId, code, message } of verdicts.values())
    await output.warning(`${peerId}: ${message}`, { peerId, code })
  const isEmpty = stuck + failed === 0
  const parts = [
    `${shares} shares: ${moved} moved (${formatByteSize(movedBytes)}), ${there} were elsewhere`,
    damaged > 0 ? `${damaged} are damaged here, and need a repair` : '',
    stuck > 0 ? `${stuck} find no server that has none of their object` : '',
    failed > 0 ? `${failed} failed; run it again` : '',
    isEmpty ? 'the node may be switched off' : 'do not switch the node off yet',
  ]
  return {
    summary: { draining: true, ...counts, mayBeSwitchedOff: isEmpty },
    text: parts.filter((part) => part !== '').join('; '),
    exit: isEmpty ? exitCodes.ok : exitCodes.notEnoughServers,
  }
}
