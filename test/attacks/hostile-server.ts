/** The answering end of a channel that keeps to no protocol: it says what a test makes it say. */
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../../src/base/cbor.ts'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { FrameDecoder, frameStart } from '../../src/wire/frame.ts'

export interface HostileEnd {
  channel: Channel
  /** Sends one frame of this head. */
  say(head: CborValue, body?: Uint8Array): Promise<void>
  /** Sends bytes as they are. */
  raw(...pieces: Uint8Array[]): Promise<void>
  /** Reads nothing from now on. */
  deafen(): void
}

export interface Hostility {
  /** What it says first; a true hello unless told, and nothing for `silence`. */
  hello?: CborValue
  /** Called for each request. */
  onRequest?: (id: number, verb: string, end: HostileEnd) => Promise<void>
  /** Called with the bytes that the asking side hands to the channel. */
  onSend?: (bytes: number) => void
}

export const silence = 'silence'

/** The asking end of a channel to a server of this hostility. */
export function hostileChannel(id: string, hostility: Hostility): Channel {
  const [near, far] = channelPair({ ids: ['client', id] })
  const { hello = [1, 1, [1]], onSend } = hostility
  void listen(far, hostility).catch(() => {})
  if (hello !== silence) void far.send([frameStart(encodeCbor(hello))]).catch(() => {})
  return {
    remoteId: near.remoteId,
    remoteAddress: near.remoteAddress,
    source: near.source,
    send: (pieces) => {
      onSend?.(pieces.reduce((sum, piece) => sum + piece.length, 0))
      return near.send(pieces)
    },
    close: () => near.close(),
    abort: (reason) => near.abort(reason),
  }
}

async function listen(channel: Channel, { onRequest }: Hostility): Promise<void> {
  let greeted = false
  let deaf = false
  const end: HostileEnd = {
    channel,
    say: (head, body = new Uint8Array(0)) =>
      channel.send([frameStart(encodeCbor(head), body.length), body]),
    raw: (...pieces) => channel.send(pieces),
    deafen: () => (deaf = true),
  }
  const decoder = new FrameDecoder({
    head: (head) => {
      const [kind, id, verb] = decodeCbor(head, wireLimits) as CborValue[]
      if (greeted && kind === 1) void onRequest?.(id as number, String(verb), end).catch(() => {})
      greeted = true
    },
    body: () => {},
  })
  for await (const piece of channel.source) {
    decoder.push(piece)
    if (deaf) await new Promise(() => {})
  }
}
