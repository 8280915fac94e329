/**
 * The network, as a port: authenticated channels between peers named by their key. It is cut above
 * libp2p and below our frames, so that a simulated network may damage what our decoders see.
 */
import type { Channel } from './channel.ts'

/** Where a peer may be reached. */
export interface PeerTarget {
  /** Peer id: the text form of the key that the other side must prove to hold. */
  id: string
  /** Multiaddrs without the /p2p part, most likely first. */
  addresses: readonly string[]
}

/** Takes a channel that another peer opened; it owns it, and a rejection aborts it. */
export type ChannelHandler = (channel: Channel) => Promise<void>

export interface Net {
  /** This side's peer id. */
  readonly id: string
  /** Where this side listens: multiaddrs without /p2p; empty when it does not. */
  addresses(): string[]
  /**
   * Opens a channel of `protocol` to `target`, over a connection that is there or a new one.
   * Throws E_UNREACHABLE, or the signal's reason.
   */
  dial(target: PeerTarget, protocol: string, options?: { signal?: AbortSignal }): Promise<Channel>
  /** Calls `handler` for each channel of `protocol` that another peer opens. */
  handle(protocol: string, handler: ChannelHandler): void
  /** Connections to other peers that are open, of both directions; each may carry many channels. */
  connectionCount(): number
  /** Ends every channel and stops listening. */
  close(): Promise<void>
}
