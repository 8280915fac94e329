/** Asks the running node of a home. */
import type { CborValue } from '../base/cbor.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { openHome } from '../node/home/home.ts'
import { askNode } from '../node/running/lending.ts'
import { socketOf } from '../node/home/node-socket.ts'
import { connectUnix } from '../node/net/unix-net.ts'
import type { Context } from './command.ts'

/** Throws E_UNREACHABLE where no node runs, and what the node answers with. */
export async function askHomeNode(
  { home, world, signal }: Context,
  verb: string,
  args: CborValue,
): Promise<CborValue> {
  await openHome(home)
  try {
    const connect = () => connectUnix(socketOf(home))
    return await askNode(connect, { verb, args }, { clock: world.clock, signal })
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE')) throw error
    throw new GridError('E_UNREACHABLE', `the node of ${home.path} does not run`, {
      hint: 'run: grid up, or on an introducer: grid introducer run',
      cause: error,
    })
  }
}
