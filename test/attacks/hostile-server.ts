/** The answering end of a channel that keeps to no protocol: it says what a test makes it say. */
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { RawEnd } from '../wire/raw-end.ts'

export interface HostileEnd {
  channel: Channel
  /** Sends one frame of this head. */
  say(head: CborValue, body?: Uint8Array): Promise<void>
  /** Sends bytes as they are. */
  raw(...pieces: Uint8Array[]): Promise<void>
}

export interface Hostility {
  /** What it says first; a true hello unless told, and nothing for `silence`. */
  hello?: CborValue
  /** Called for each request: `[1, id, verb, args, bodyBytes]`. */
  onRequest?: (id: number, verb: string, end: HostileEnd) => Promise<void>
  /** Called with the other end as soon as it is there. */
  onOpen?: (end: HostileEnd) => Promise<void>
}

export const silence = 'silence'

/** The asking end of a channel to a server of this hostility. */
export function hostileChannel(id: string, hostility: Hostility): Channel {
  const [near, far] = channelPair({ ids: ['client', id] })
  const { hello = [1, 1, [1]], onRequest, onOpen } = hostility
  const raw = new RawEnd(far, {
    onHead: ([kind, request, verb]) => {
      if (kind === 1) void onRequest?.(request as number, String(verb), end).catch(() => {})
    },
  })
  const end: HostileEnd = {
    channel: far,
    say: (head, body) => raw.say(head, body),
    raw: (...pieces) => far.send(pieces),
  }
  if (hello !== silence) void raw.say(hello).catch(() => {})
  void onOpen?.(end).catch(() => {})
  return near
}

/** The head of a good reply that announces `bodyBytes`. */
export function replyHead(id: number, facts: CborValue, bodyBytes: number): Uint8Array {
  return encodeCbor([2, id, 0, facts, bodyBytes])
}
