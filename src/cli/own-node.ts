/** The running node of the home that a command was given. */
import { GridError, isGridError } from '../base/errors.ts'
import { type OwnNode, reachNode } from '../node/running/own-verbs.ts'
import { socketOf } from '../node/home/node-socket.ts'
import { connectUnix } from '../node/net/unix-net.ts'
import type { Context } from './command.ts'

/** Close it when done. @throws E_UNREACHABLE if no node of this home runs */
export async function openOwnNode({
  home,
  world: { clock },
}: Pick<Context, 'home' | 'world'>): Promise<OwnNode & { close(): void }> {
  try {
    return await reachNode(() => connectUnix(socketOf(home)), { clock })
  } catch (error) {
    if (!isGridError(error)) throw error
    throw new GridError('E_UNREACHABLE', `the node of ${home.path} does not run`, {
      hint: 'run: grid node run',
      cause: error,
    })
  }
}
