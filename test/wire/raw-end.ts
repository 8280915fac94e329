/** One end of a channel driven by hand: says what a test tells it to, and keeps what it hears. */
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../../src/base/cbor.ts'
import type { Channel } from '../../src/base/channel.ts'
import { FrameDecoder, frameStart } from '../../src/wire/frame.ts'

export interface HeardFrame {
  head: CborValue
  bodyBytes: number
}

export class RawEnd {
  readonly heard: HeardFrame[] = []
  /** Settles when the other side has ended the channel. */
  readonly ended: Promise<void>
  readonly channel: Channel
  #wake: () => void = () => {}

  constructor(channel: Channel) {
    this.channel = channel
    this.ended = this.#listen().catch(() => {})
  }

  /** Sends one frame. */
  async say(head: CborValue, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    await this.channel.send([frameStart(encodeCbor(head), body.length), body])
  }

  async hello(): Promise<void> {
    await this.say([1, 1, [1]])
  }

  /** The first frame heard that `matches`, awaited. */
  async hear(matches: (head: CborValue[]) => boolean): Promise<CborValue[]> {
    for (;;) {
      const found = this.heard.find(({ head }) => matches(head as CborValue[]))
      if (found !== undefined) return found.head as CborValue[]
      const next = new Promise<void>((resolve) => (this.#wake = resolve))
      const over = await Promise.race([next, this.ended.then(() => 'over')])
      if (over === 'over') throw new Error('the channel ended without it')
    }
  }

  /** The reply to request `id`: `[2, id, status, facts, bodyBytes]`. */
  reply(id: number): Promise<CborValue[]> {
    return this.hear(([kind, of]) => kind === 2 && of === id)
  }

  async #listen(): Promise<void> {
    const decoder = new FrameDecoder({
      head: (head, bodyBytes) => {
        this.heard.push({ head: decodeCbor(head, wireLimits), bodyBytes })
        this.#wake()
      },
      body: () => {},
    })
    for await (const piece of this.channel.source) decoder.push(piece)
  }
}

/** Lets everything that can go on go on. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
