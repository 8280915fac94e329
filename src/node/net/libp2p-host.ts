/** A libp2p host set up for Grid: TCP, Noise and yamux, and the limits of `net-limits.ts`. */
import '../../base/shim.ts'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type {
  ComponentLogger,
  Libp2p,
  Logger,
  MultiaddrConnection,
  PeerId,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { GridError, asGridError } from '../../base/errors.ts'
import type { Clock } from '../../base/clock.ts'
import { parseTcpAddress } from '../../base/multiaddr.ts'
import { plainText } from '../../base/plain-text.ts'
import type { Random } from '../../base/random.ts'
import type { InboundGate } from './inbound-gate.ts'
import type { NetLimits } from './net-limits.ts'
import { pskWall } from './psk-wall.ts'
import { guardMuxer, YamuxGuard } from './yamux-guard.ts'

export interface HostOptions {
  /** 32 bytes: the node's Ed25519 secret. */
  seed: Uint8Array
  /** Multiaddrs to listen on; none for a host that only dials. */
  listen: readonly string[]
  limits: NetLimits
  gate: InboundGate
  clock: Clock
  /** Secrets of the outer wall, 32 bytes each; none for no wall. */
  psks: readonly Uint8Array[]
  random: Random
}

/**
 * Starts a host.
 * @throws E_PORT_TAKEN; E_CONFIG for an address that cannot be listened on
 */
export async function startHost(options: HostOptions): Promise<Libp2p> {
  const host = await makeHost(options)
  try {
    await host.start()
    return host
  } catch (error) {
    await host.stop()
    throw listenError(error, options.listen)
  }
}

/** The peer id in `text`. Throws E_UNREACHABLE where it is none. */
export function parsePeerId(text: string): PeerId {
  try {
    return peerIdFromString(text)
  } catch (error) {
    throw asGridError(error, 'E_UNREACHABLE', `${plainText(text)} is no peer id`)
  }
}

/** `addresses` with `id` behind each, but for those that are no multiaddr. */
export function dialTargets(id: string, addresses: readonly string[]): Multiaddr[] {
  return addresses
    .filter((address) => parseTcpAddress(address) !== undefined)
    .map((address) => multiaddr(`${address}/p2p/${id}`))
}

async function makeHost(options: HostOptions): Promise<Libp2p> {
  const { seed, listen, limits, gate, clock, psks, random } = options
  return createLibp2p({
    ...(psks.length > 0 && { connectionProtector: pskWall(psks, random) }),
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    addresses: { listen: [...listen] },
    transports: [tcp({ maxConnections: limits.maxConnections + limits.maxPending })],
    connectionEncrypters: [noise()],
    streamMuxers: [() => guardedYamux(limits, clock)],
    connectionManager: {
      maxConnections: limits.maxConnections,
      maxIncomingPendingConnections: limits.maxPending,
      inboundUpgradeTimeout: limits.handshakeMs,
      inboundStreamProtocolNegotiationTimeout: limits.negotiationMs,
      outboundStreamProtocolNegotiationTimeout: limits.openStreamMs,
      // the gate, which tells private addresses from public ones, sets the rates
      inboundConnectionThreshold: Infinity,
      dialTimeout: limits.dialMs,
      addressDialTimeout: limits.dialMs,
      resolvers: {},
    },
    connectionGater: {
      denyDialMultiaddr: () => false,
      denyInboundConnection: (connection) => !enter(gate, connection),
    },
    connectionMonitor: { enabled: false },
    logger: silence,
  })
}

function guardedYamux(limits: NetLimits, clock: Clock): StreamMuxerFactory {
  const factory = yamux({
    keepAliveInterval: limits.keepAliveMs,
    maxInboundStreams: limits.maxStreamsPerConnection,
    streamOptions: {
      maxStreamWindowSize: limits.streamWindowBytes,
      maxReadBufferLength: limits.readBufferBytes,
      maxWriteBufferLength: limits.writeBufferBytes,
    },
  })()
  return {
    protocol: factory.protocol,
    createStreamMuxer: (connection) =>
      guardMuxer(factory.createStreamMuxer(connection), connection, new YamuxGuard(clock, limits)),
  }
}

/** libp2p tells why it cannot listen in text only. */
function listenError(error: unknown, listen: readonly string[]): GridError {
  const text = error instanceof Error ? error.message : String(error)
  const where = listen.join(', ')
  if (text.includes('EADDRINUSE')) {
    return new GridError('E_PORT_TAKEN', `another program listens on ${where} already`, {
      hint: 'stop it, or choose another port for node.listen',
      facts: { listen },
    })
  }
  return new GridError('E_CONFIG', `cannot listen on ${where}`, { facts: { listen }, cause: error })
}

function enter(gate: InboundGate, connection: MultiaddrConnection): boolean {
  const leave = gate.admit(connection.remoteAddr.toString())
  if (leave === undefined) return false
  connection.addEventListener('close', leave, { once: true })
  return true
}

/** libp2p formats log lines for streams and frames even where nobody reads them. */
const silentLogger: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => silentLogger,
})
const silence: ComponentLogger = { forComponent: () => silentLogger }
