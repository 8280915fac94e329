/**
 * What a host lets strangers take of it (docs/specs/storage-protocol.md, "Limits of connections"). The defaults of libp2p are
 * made for larger machines: with them a single client can make a server buffer gigabytes.
 */
export interface NetLimits {
  /** Connections at once, both directions. */
  maxConnections: number
  /** Inbound connections at once from one public address; of IPv6, from one /64. */
  maxPerPublicAddress: number
  /** The same from one loopback or private address, behind which many nodes may stand. */
  maxPerPrivateAddress: number
  /** New inbound connections a second from one public address. */
  newPerSecondPublic: number
  /** The same from a loopback or private one. */
  newPerSecondPrivate: number
  /** Inbound connections that have not finished their handshake. */
  maxPending: number
  /** For the handshake of an inbound connection. */
  handshakeMs: number
  /** For a dial, all its attempts together. */
  dialMs: number
  /** For the other side to open a stream, after which the connection counts as dead. */
  openStreamMs: number
  /** For the other side to name the protocol of a stream that it opens. */
  negotiationMs: number
  /** Inbound streams of one protocol on one connection. */
  maxStreamsPerProtocol: number
  /** Inbound streams of all protocols on one connection. */
  maxStreamsPerConnection: number
  /** New streams and pings a second on one connection, saved up to that many; beyond it the connection ends. */
  newStreamsPerSecond: number
  /** Frames that the other side may send while it reads nothing; beyond it the connection ends. */
  maxUnreadFrames: number
  /** Most bytes that a stream's other side may have under way. */
  streamWindowBytes: number
  /** Received bytes that wait for a reader that has paused; beyond it the stream is reset. */
  readBufferBytes: number
  /** Bytes that wait to be sent; beyond it the stream is reset. */
  writeBufferBytes: number
  /** How often a connection without traffic is asked whether it lives. */
  keepAliveMs: number
}

export const netLimits: NetLimits = {
  maxConnections: 256,
  maxPerPublicAddress: 16,
  maxPerPrivateAddress: 64,
  newPerSecondPublic: 5,
  newPerSecondPrivate: 100,
  maxPending: 32,
  handshakeMs: 5_000,
  dialMs: 10_000,
  openStreamMs: 5_000,
  negotiationMs: 10_000,
  maxStreamsPerProtocol: 8,
  maxStreamsPerConnection: 16,
  newStreamsPerSecond: 100,
  maxUnreadFrames: 4_096,
  streamWindowBytes: 1024 * 1024,
  readBufferBytes: 1024 * 1024,
  writeBufferBytes: 2 * 1024 * 1024,
  keepAliveMs: 60_000,
}
