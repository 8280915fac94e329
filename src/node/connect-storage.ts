/** A storage server at the other end of a channel, ready to be asked. */
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { RemotePeer } from '../storage/remote-peer.ts'
import { openCaller } from '../wire/caller.ts'
import type { Connection } from './dialled-peer.ts'

/**
 * Says hello on `channel`, which the connection then owns.
 *
 * @param id - peer id that the channel's carrier has authenticated
 * @throws E_VERSION, E_TIMEOUT, E_PROTOCOL, E_CLOSED, or the signal's reason
 */
export async function connectStorage(
  id: string,
  channel: Channel,
  options: { clock: Clock; signal?: AbortSignal },
): Promise<Connection> {
  const caller = await openCaller(channel, options)
  return {
    peer: new RemotePeer(id, caller),
    ended: caller.ended,
    close: () => caller.close(),
  }
}
