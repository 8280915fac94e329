/** A client that has shaken hands with a node, and from then on writes frames of yamux as a test says. */
import '../../src/base/shim.ts'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { MessageStream, StreamMuxer } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Net } from '../../src/base/net.ts'

export const frameTypes = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const
export const flags = { syn: 1, ack: 2, fin: 4, rst: 8 } as const

export interface RawYamux {
  /** Sends bytes inside the encrypted connection. Throws when it has ended. */
  send(bytes: Uint8Array): void
  /** Whether the other side has ended the connection. */
  readonly isClosed: boolean
  /** Reads nothing from now on. */
  deafen(): void
  close(): Promise<void>
}

/** The 12 bytes before a frame. */
export function frameHead(
  type: number,
  flag: number,
  streamId: number,
  length: number,
): Uint8Array {
  const head = new Uint8Array(12)
  const view = new DataView(head.buffer)
  view.setUint8(1, type)
  view.setUint16(2, flag)
  view.setUint32(4, streamId)
  view.setUint32(8, length)
  return head
}

export async function rawYamux(net: Net): Promise<RawYamux> {
  let link: MessageStream | undefined
  const factory = yamux({ enableKeepAlive: false })()
  const host = await createLibp2p({
    start: false,
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => ({
        protocol: factory.protocol,
        createStreamMuxer: (connection): StreamMuxer => {
          link = connection
          const muxer = factory.createStreamMuxer(connection)
          // what the other side says is no concern of this one
          return Object.assign(muxer, { onData: () => {} })
        },
      }),
    ],
    connectionMonitor: { enabled: false },
  })
  await host.start()
  const [address = ''] = net.addresses()
  const connection = await host.dial(multiaddr(`${address}/p2p/${net.id}`))
  return {
    send: (bytes) => {
      link?.send(bytes)
    },
    get isClosed() {
      return connection.status !== 'open'
    },
    deafen: () => link?.pause(),
    close: async () => {
      connection.abort(new Error('over'))
      await host.stop()
    },
  }
}
