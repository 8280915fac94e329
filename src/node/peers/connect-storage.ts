/** A storage server at the other end of a channel, ready to be asked. */
import type { Channel } from '../../base/channel.ts'
import type { Clock } from '../../base/clock.ts'
import { isGridError } from '../../base/errors.ts'
import { RemotePeer } from '../../storage/remote-peer.ts'
import { openCaller } from '../../wire/caller.ts'
import type { Connection } from './dialled-peer.ts'

export interface ConnectOptions {
  clock: Clock
  signal?: AbortSignal
  /** Shown to the server before anything is asked. */
  certificate?: Uint8Array
}

/**
 * Says hello on `channel`, which the connection then owns.
 *
 * @param id - peer id that the channel's carrier has authenticated
 * @throws E_VERSION, E_TIMEOUT, E_PROTOCOL, E_CLOSED, or the signal's reason; E_CERTIFICATE or
 *   E_REVOKED where the server does not take the certificate
 */
export async function connectStorage(
  id: string,
  channel: Channel,
  options: ConnectOptions,
): Promise<Connection> {
  const { certificate, signal } = options
  const caller = await openCaller(channel, options)
  const peer = new RemotePeer(id, caller)
  if (certificate !== undefined) {
    await peer.showMembership(certificate, { signal }).catch((error: unknown) => {
      // a server of before there were members asks for none
      if (isGridError(error, 'E_UNKNOWN_VERB')) return
      caller.close()
      throw error
    })
  }
  return {
    peer,
    ended: caller.ended,
    close: () => caller.close(),
  }
}
