/** A network in which a node can dial itself, which libp2p refuses: so that a node's own introducer is one of its introducers. */
import { type Channel, channelPair } from '../../base/channel.ts'
import { GridError } from '../../base/errors.ts'
import type { ChannelHandler, Net, PeerTarget } from '../../base/net.ts'

/** `net`, which it owns from now on, and channels in memory to its own handlers. */
export class SelfNet implements Net {
  readonly #net: Net
  readonly #handlers = new Map<string, ChannelHandler>()
  readonly #open = new Set<Channel>()

  constructor(net: Net) {
    this.#net = net
  }

  get id(): string {
    return this.#net.id
  }

  addresses(): string[] {
    return this.#net.addresses()
  }

  async dial(
    target: PeerTarget,
    protocol: string,
    options?: { signal?: AbortSignal },
  ): Promise<Channel> {
    if (target.id !== this.id) return this.#net.dial(target, protocol, options)
    const handler = this.#handlers.get(protocol)
    if (handler === undefined) {
      throw new GridError('E_UNREACHABLE', `this node does not speak ${protocol} itself`)
    }
    const [near, far] = channelPair({ ids: [this.id, this.id] })
    this.#open.add(far)
    handler(far)
      .catch((error: unknown) => far.abort(error as Error))
      .finally(() => this.#open.delete(far))
    return near
  }

  connectionCount(): number {
    return this.#net.connectionCount()
  }

  handle(protocol: string, handler: ChannelHandler): void {
    this.#handlers.set(protocol, handler)
    this.#net.handle(protocol, handler)
  }

  async close(): Promise<void> {
    for (const channel of this.#open) channel.abort(new Error('the node stops'))
    await this.#net.close()
  }
}
