import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat } from '../../../src/base/bytes.ts'
import { netLimits } from '../../../src/node/net/net-limits.ts'
import { YamuxGuard } from '../../../src/node/net/yamux-guard.ts'
import { flags, frameHead, frameTypes } from '../../attacks/raw-yamux.ts'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { cuts } from '../../wire/cuts.ts'

const { data, ping, windowUpdate } = frameTypes

function makeGuard(): { guard: YamuxGuard; clock: SimClock } {
  const clock = new SimClock(new SimRandom('yamux guard'))
  return { guard: new YamuxGuard(clock, netLimits), clock }
}

/** How many of `count` such frames pass. */
function passing(guard: YamuxGuard, frame: Uint8Array, count: number, isRead = true): number {
  for (let i = 0; i < count; i++) {
    try {
      guard.push(frame, isRead)
    } catch {
      return i
    }
  }
  return count
}

describe('YamuxGuard', () => {
  it('finds the head of every frame, wherever the bytes are cut', () => {
    const body = fc.uint8Array({ maxLength: 50 })
    fc.assert(
      fc.property(fc.array(body), fc.infiniteStream(fc.nat(20)), (bodies, sizes) => {
        const honest = bodies.map((bytes) => concat(frameHead(data, 0, 1, bytes.length), bytes))
        const bytes = concat(...honest, frameHead(data, 0, 1, 2 ** 20 + 1))
        const { guard } = makeGuard()
        const pieces = cuts(bytes, sizes)
        for (const piece of pieces.slice(0, -1)) guard.push(piece, true)
        assert.throws(() => guard.push(pieces.at(-1)!, true), { code: 'E_PROTOCOL' })
      }),
    )
  })

  it('refuses a frame beyond the largest window from its head', () => {
    makeGuard().guard.push(frameHead(data, 0, 1, 2 ** 20), true)
    for (const length of [2 ** 20 + 1, 2 ** 31, 2 ** 32 - 1]) {
      const head = frameHead(data, flags.syn, 1, length)
      assert.throws(() => makeGuard().guard.push(head, true), { code: 'E_PROTOCOL' })
    }
    makeGuard().guard.push(frameHead(windowUpdate, 0, 1, 2 ** 32 - 1), true)
  })

  it('lets 100 new streams and pings a second pass', async () => {
    const { guard, clock } = makeGuard()
    assert.equal(passing(guard, frameHead(windowUpdate, flags.syn, 1, 0), 60), 60)
    assert.equal(passing(guard, frameHead(ping, flags.syn, 0, 0), 20), 20)
    assert.equal(passing(guard, frameHead(ping, flags.ack, 0, 0), 60), 20)
    await clock.run({ untilMs: 500 })
    assert.equal(passing(guard, frameHead(data, flags.syn, 1, 0), 60), 50)
    assert.equal(passing(guard, frameHead(windowUpdate, 0, 1, 0), 5000), 5000)
  })

  it('lets 4,096 frames pass from a side that reads nothing, and counts anew when it reads', () => {
    const { guard } = makeGuard()
    const frame = frameHead(windowUpdate, 0, 1, 1)
    assert.equal(passing(guard, frame, 4000, false), 4000)
    assert.equal(passing(guard, frame, 10_000), 10_000)
    assert.equal(passing(guard, frame, 10_000, false), 4095)
  })
})
