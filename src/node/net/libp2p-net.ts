/** The network of real nodes: libp2p over TCP, every connection authenticated by Noise. */
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Channel } from '../../base/channel.ts'
import { type Clock, SystemClock, sleep } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import type { ChannelHandler, Net, PeerTarget } from '../../base/net.ts'
import { plainText } from '../../base/plain-text.ts'
import { type Random, SystemRandom, randomBelow } from '../../base/random.ts'
import { InboundGate } from './inbound-gate.ts'
import { type NetLimits, netLimits } from './net-limits.ts'
import { StreamChannel } from './stream-channel.ts'

type HostModule = typeof import('./libp2p-host.ts')

/** Attempts of one dial: a server in a flood resets honest clients too. */
const dialAttempts = 4
/** The longest pause before the second attempt; twice as long before each that follows. */
const dialPauseMs = 200

export interface Libp2pNetOptions {
  /** The node's Ed25519 secret, 32 bytes. */
  seed: Uint8Array
  /** Multiaddrs to listen on; none for a node that only dials. */
  listen: readonly string[]
  /** Where they are to differ from `netLimits`. */
  limits?: Partial<NetLimits>
  /** Secrets of 32 bytes without which nobody connects: see `pskWall`. None for no wall. */
  psks?: readonly Uint8Array[]
  clock?: Clock
  random?: Random
}

/**
 * Starts a host on the real network. libp2p is loaded here and not before, since that takes longer
 * than most commands.
 *
 * @throws E_PORT_TAKEN; E_CONFIG for an address that cannot be listened on
 */
export async function openLibp2pNet(options: Libp2pNetOptions): Promise<Net> {
  const hosts = await import('./libp2p-host.ts')
  const { seed, listen, psks = [] } = options
  const { clock = new SystemClock(), random = new SystemRandom() } = options
  const limits = { ...netLimits, ...options.limits }
  const gate = new InboundGate(clock, limits)
  const host = await hosts.startHost({ seed, listen, limits, gate, clock, psks, random })
  return new Libp2pNet(host, hosts, { limits, clock, random })
}

class Libp2pNet implements Net {
  readonly id: string
  readonly #host: Libp2p
  readonly #hosts: HostModule
  readonly #parts: { limits: NetLimits; clock: Clock; random: Random }
  readonly #handled = new Set<string>()

  constructor(
    host: Libp2p,
    hosts: HostModule,
    parts: { limits: NetLimits; clock: Clock; random: Random },
  ) {
    this.id = host.peerId.toString()
    this.#host = host
    this.#hosts = hosts
    this.#parts = parts
  }

  addresses(): string[] {
    return this.#host.getMultiaddrs().map((address) => withoutPeer(address.toString()))
  }

  async dial(
    target: PeerTarget,
    protocol: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<Channel> {
    const { clock, limits } = this.#parts
    return withDeadline(
      clock,
      limits.dialMs,
      async (signal) => {
        try {
          return await this.#open(target, protocol, signal)
        } catch (error) {
          if (options.signal?.aborted) throw options.signal.reason
          if (isGridError(error, 'E_UNREACHABLE')) throw error
          throw new GridError('E_UNREACHABLE', `cannot reach ${target.id}: ${reasonOf(error)}`, {
            facts: { peer: target.id, addresses: target.addresses },
            cause: error,
          })
        }
      },
      options,
    )
  }

  handle(protocol: string, handler: ChannelHandler): void {
    if (this.#handled.has(protocol)) throw new TypeError(`net: ${protocol} is handled already`)
    this.#handled.add(protocol)
    const { maxStreamsPerProtocol } = this.#parts.limits
    void this.#host.handle(
      protocol,
      async (stream, connection) => {
        const channel = channelOf(stream, connection)
        await handler(channel).catch((error: unknown) => channel.abort(asError(error)))
      },
      { maxInboundStreams: maxStreamsPerProtocol },
    )
  }

  connectionCount(): number {
    return this.#host.getConnections().length
  }

  async close(): Promise<void> {
    const closed = new GridError('E_CLOSED', 'the network was closed')
    // closing in good order waits for the other sides, up to half a second
    for (const connection of this.#host.getConnections()) connection.abort(closed)
    await this.#host.stop()
  }

  async #open(target: PeerTarget, protocol: string, signal: AbortSignal): Promise<Channel> {
    for (let attempt = 1; ; attempt++) {
      try {
        const connection = await this.#connect(target, signal)
        return await this.#openStream(connection, protocol, signal)
      } catch (error) {
        if (signal.aborted || attempt === dialAttempts || !mayPass(error)) throw error
      }
      await this.#pause(attempt, signal)
    }
  }

  async #connect(target: PeerTarget, signal: AbortSignal): Promise<Connection> {
    const id = this.#hosts.parsePeerId(target.id)
    const open = this.#host.getConnections(id).find(({ status }) => status === 'open')
    if (open !== undefined) return open
    const addresses = this.#hosts.dialTargets(target.id, target.addresses)
    if (addresses.length > 0) return this.#host.dial(addresses, { signal })
    throw new GridError('E_UNREACHABLE', `no address is known of ${target.id}`)
  }

  async #openStream(
    connection: Connection,
    protocol: string,
    signal: AbortSignal,
  ): Promise<Channel> {
    const { clock, limits } = this.#parts
    try {
      const open = (heeded: AbortSignal): Promise<Stream> =>
        connection.newStream(protocol, { signal: heeded })
      const stream = await withDeadline(clock, limits.openStreamMs, open, { signal })
      return channelOf(stream, connection)
    } catch (error) {
      if (signal.aborted) throw error
      // a connection that does not even answer is dead: the next attempt makes another
      if (isGridError(error, 'E_TIMEOUT')) connection.abort(error)
      if (connection.status !== 'open') throw asError(error)
      throw new GridError('E_UNREACHABLE', `the peer opens no channel of ${protocol}`, {
        facts: { peer: connection.remotePeer.toString(), protocol },
        cause: error,
      })
    }
  }

  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const longestMs = dialPauseMs * 2 ** (attempt - 1)
    const pauseMs = longestMs / 2 + randomBelow(this.#parts.random, longestMs / 2)
    await sleep(this.#parts.clock, pauseMs, { signal })
  }
}

function channelOf(stream: Stream, connection: Connection): Channel {
  return new StreamChannel(stream, {
    remoteId: connection.remotePeer.toString(),
    remoteAddress: withoutPeer(connection.remoteAddr.toString()),
  })
}

/** Whether another attempt may end otherwise. Nobody listening, or another's key, will not change. */
function mayPass(error: unknown): boolean {
  return causesOf(error).some(
    (cause) => !isGridError(cause, 'E_UNREACHABLE') && !isRefused(cause) && !isOtherPeer(cause),
  )
}

function reasonOf(error: unknown): string {
  const reasons = causesOf(error).map((cause) =>
    isOtherPeer(cause) ? 'another peer answers at its address' : cause.message,
  )
  return plainText([...new Set(reasons)].join('; '))
}

/** libp2p tells these two in text only. */
function isRefused(error: Error): boolean {
  return error.message.includes('ECONNREFUSED')
}

function isOtherPeer(error: Error): boolean {
  return error.message.includes('does not match expected remote identity')
}

/** The errors of a dial to several addresses, or the one there is. */
function causesOf(error: unknown): Error[] {
  if (error instanceof AggregateError) return error.errors.map(asError)
  return [asError(error)]
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function withoutPeer(address: string): string {
  return address.replace(/\/p2p\/[^/]*$/, '')
}
