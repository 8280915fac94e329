import { formatByteSize } from '../../base/byte-size.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { openHome } from '../../node/home/home.ts'
import { identityOf } from '../../node/home/identity.ts'
import { borrowPeers } from '../../node/running/lending.ts'
import type { PeerPool } from '../../node/peers/peer-pool.ts'
import { socketOf } from '../../node/home/node-socket.ts'
import { connectUnix } from '../../node/net/unix-net.ts'
import { command, type Command, type Context } from '../command.ts'

export const nodeStatus: Command = command({
  arguments: [],
  options: {},
  examples: [['grid node status', 'see whether the node runs, and what it keeps']],
  async run(context) {
    const { home, signal, output } = context
    const { id } = identityOf((await openHome(home)).identitySeed)
    const pool = await poolOf(context)
    try {
      const own = pool.candidates().find((candidate) => candidate.id === id)
      const storage = await own?.peer.status({ signal })
      const lines = [`${id} runs, and knows ${pool.candidates().length} storage servers`]
      if (storage === undefined) lines.push('it keeps no shares')
      else {
        const { shareCount, shareBytes, freeBytes, readOnly } = storage
        lines.push(`it keeps ${shareCount} shares, ${formatByteSize(shareBytes)}`)
        lines.push(readOnly ? 'it takes no more' : `it takes ${formatByteSize(freeBytes)} more`)
      }
      const facts = { peerId: id, servers: pool.candidates().length, storage: storage ?? null }
      await output.item(facts, lines.join('\n'))
      return { summary: { peerId: id } }
    } finally {
      await pool.close()
    }
  },
})

async function poolOf({ home, world: { clock } }: Context): Promise<PeerPool> {
  try {
    return await borrowPeers(() => connectUnix(socketOf(home)), { clock })
  } catch (error) {
    if (!isGridError(error)) throw error
    throw new GridError('E_UNREACHABLE', `the node of ${home.path} does not run`, {
      hint: 'run: grid node run',
      cause: error,
    })
  }
}
