import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { sleep } from '../../src/base/clock.ts'
import { HostClock } from './host-clock.ts'
import { SimClock } from './sim-clock.ts'
import { SimRandom } from './sim-random.ts'

function makeClock(seed = 'clock'): SimClock {
  return new SimClock(new SimRandom(seed))
}

/** The order in which ten events of one instant run. */
async function orderOf(seed: string): Promise<number[]> {
  const clock = makeClock(seed)
  const order: number[] = []
  for (let i = 0; i < 10; i++) clock.after(5, () => order.push(i))
  await clock.run()
  return order
}

describe('SimClock', () => {
  it('runs events in the order of their times, at their times', async () => {
    const clock = makeClock()
    const random = new SimRandom('times')
    const delays = Array.from({ length: 500 }, () => random.below(1000))
    const seen: number[] = []
    for (const delay of delays) {
      clock.after(delay, () => {
        assert.equal(clock.monotonicMs(), delay)
        seen.push(delay)
      })
    }
    await clock.run()
    assert.deepEqual(
      seen,
      delays.sort((a, b) => a - b),
    )
  })

  it('orders events of one instant by the seed', async () => {
    assert.deepEqual(await orderOf('a'), await orderOf('a'))
    assert.notDeepEqual(await orderOf('a'), await orderOf('b'))
  })

  it('lets all that follows from an event happen before the next', async () => {
    const clock = makeClock()
    const log: string[] = []
    clock.after(1, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await Promise.resolve()
        log.push('follows')
      })()
    })
    clock.after(1.001, () => log.push('next'))
    await clock.run()
    assert.deepEqual(log, ['follows', 'next'])
  })

  it('runs a year in no time, and stops where it is told', async () => {
    const clock = makeClock()
    let days = 0
    const tick = (): void => {
      days++
      clock.after(86_400_000, tick)
    }
    clock.after(86_400_000, tick)
    await clock.run({ untilMs: 365.5 * 86_400_000 })
    assert.equal(days, 365)
    assert.equal(clock.monotonicMs(), 365.5 * 86_400_000)
    assert.equal(new Date(clock.nowMs()).toISOString(), '2024-12-31T12:00:00.000Z')
    await clock.run({ done: () => days === 400 })
    assert.equal(days, 400)
  })

  it('never runs what was cancelled', async () => {
    const clock = makeClock()
    const cancel = clock.after(1, () => assert.fail('cancelled'))
    cancel()
    await clock.run()
    assert.equal(clock.eventCount, 0)
  })

  it('serves sleep and its signal', async () => {
    const clock = makeClock()
    const controller = new AbortController()
    const asleep = sleep(clock, 1000, { signal: controller.signal })
    clock.after(10, () => controller.abort(new Error('enough')))
    const refused = assert.rejects(asleep, /enough/)
    await clock.run()
    await refused
    assert.equal(clock.monotonicMs(), 10)
  })

  it('refuses the delays that Node takes for others', () => {
    for (const delay of [-1, NaN, Infinity, 2 ** 31]) {
      assert.throws(() => makeClock().after(delay, () => {}), RangeError)
    }
  })
})

describe('HostClock', () => {
  it('has a wall time of its own', () => {
    const clock = makeClock()
    const host = new HostClock(clock)
    host.skewMs = -5000
    assert.equal(host.nowMs(), clock.nowMs() - 5000)
    assert.equal(host.monotonicMs(), clock.monotonicMs())
  })

  it('fires nothing once it has stopped', async () => {
    const clock = makeClock()
    const host = new HostClock(clock)
    host.after(1, () => assert.fail('set before'))
    host.stop()
    host.after(1, () => assert.fail('set after'))
    await clock.run()
  })

  it('holds its timers back while frozen, and cancels them all the same', async () => {
    const clock = makeClock()
    const host = new HostClock(clock)
    const fired: number[] = []
    host.after(1, () => fired.push(clock.monotonicMs()))
    const cancel = host.after(2, () => fired.push(-1))
    host.freeze()
    clock.after(50, cancel)
    clock.after(100, () => host.thaw())
    await clock.run()
    assert.deepEqual(fired, [100])
  })
})
