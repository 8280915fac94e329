/** A server that does not keep to the protocol at all: what it says is noise, or nothing. */
import type { Channel } from '../../src/base/channel.ts'
import { sleep, type Clock } from '../../src/base/clock.ts'
import type { SimRandom } from './sim-random.ts'

export const babbles = ['noise', 'huge-frame', 'silence', 'echo', 'deafness', 'flood'] as const
export type Babble = (typeof babbles)[number]

/** Owns `channel` until the other side has had enough. */
export async function babble(
  how: Babble,
  channel: Channel,
  { clock, random }: { clock: Clock; random: SimRandom },
): Promise<void> {
  const hear = channel.source[Symbol.asyncIterator]()
  if (how === 'huge-frame') await channel.send([Uint8Array.of(0xff, 0xff, 0xff, 0xff)])
  for (;;) {
    if (how === 'deafness') return
    const heard = how === 'flood' ? undefined : await hear.next()
    if (heard?.done === true) return channel.close()
    if (how === 'flood') await sleep(clock, 1)
    if (how === 'echo' && heard !== undefined) await channel.send([heard.value])
    else if (how !== 'silence') await channel.send([random.bytes(random.between(1, 2000))])
  }
}
