import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { TokenBucket } from '../../src/base/token-bucket.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'

describe('TokenBucket', () => {
  it('gives a burst at once, then the rate, and never saves up more than a burst', async () => {
    const clock = new SimClock(new SimRandom('tokens'))
    const bucket = new TokenBucket({ clock, tokensPerSecond: 10, burst: 30 })
    assert.equal(bucket.tryTake(31), false)
    assert.equal(bucket.tryTake(30), true)
    assert.equal(bucket.tryTake(1), false)
    await clock.run({ untilMs: 99 })
    assert.equal(bucket.tryTake(1), false)
    await clock.run({ untilMs: 100 })
    assert.equal(bucket.tryTake(1), true)
    await clock.run({ untilMs: 1_000_000 })
    assert.equal(bucket.tryTake(31), false)
    assert.equal(bucket.tryTake(30), true)
    assert.equal(bucket.tryTake(0), true)
  })

  it('refuses rates that are none', () => {
    const clock = new SimClock(new SimRandom('tokens'))
    for (const wrong of [-1, NaN]) {
      assert.throws(() => new TokenBucket({ clock, tokensPerSecond: wrong, burst: 1 }), RangeError)
      assert.throws(() => new TokenBucket({ clock, tokensPerSecond: 1, burst: wrong }), RangeError)
    }
  })
})
