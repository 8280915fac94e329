import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Pacer } from '../../src/base/pacer.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'

describe('Pacer', () => {
  it('lets go in the order asked, at the rate, and saves up a tenth of a second', async () => {
    const clock = new SimClock(new SimRandom('pacer'))
    const pacer = new Pacer({ clock, bytesPerSecond: 1000 })
    const gone: [string, number][] = []
    const take = (name: string, bytes: number): void => {
      void pacer.take(bytes).then(() => gone.push([name, clock.monotonicMs()]))
    }
    take('at once', 100)
    take('second', 1000)
    take('third', 500)
    await clock.run()
    take('after a pause', 200)
    await clock.run()
    assert.deepEqual(gone, [
      ['at once', 0],
      ['second', 1000],
      ['third', 1500],
      ['after a pause', 1700],
    ])
    await clock.run({ untilMs: 1_000_000 })
    take('after a long one', 200)
    await clock.run()
    assert.deepEqual(gone[4], ['after a long one', 1_000_100])
  })

  it('waits for months, and ends when it is told to', async () => {
    const clock = new SimClock(new SimRandom('pacer'))
    const pacer = new Pacer({ clock, bytesPerSecond: 0.001 })
    const stop = new AbortController()
    const reason = new Error('enough')
    const taken = pacer.take(1e6)
    const given = pacer.take(1, { signal: stop.signal })
    stop.abort(reason)
    await assert.rejects(given, reason)
    await clock.run()
    await taken
    assert.ok(Math.abs(clock.monotonicMs() - 1e12) < 1000)
  })

  it('refuses rates that are none', () => {
    const clock = new SimClock(new SimRandom('pacer'))
    for (const bytesPerSecond of [0, -1, NaN])
      assert.throws(() => new Pacer({ clock, bytesPerSecond }), RangeError)
  })
})
