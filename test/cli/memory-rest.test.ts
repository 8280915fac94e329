import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { giveBackMemory } from '../../src/cli/heap.ts'
import { restWhenIdle } from '../../src/cli/memory-rest.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'

/** Rests in `seconds`, where the process works `cpuMsAt` each second. */
async function restsIn(seconds: number, cpuMsAt: (second: number) => number): Promise<number[]> {
  const clock = new SimClock(new SimRandom('rest'))
  const stop = new AbortController()
  const rests: number[] = []
  let cpuMs = 500
  for (let second = 0; second < seconds; second++)
    clock.after(second * 1000 + 1, () => (cpuMs += cpuMsAt(second)))
  const giveBack = async (): Promise<void> => void rests.push(clock.monotonicMs() / 1000)
  restWhenIdle({ clock, signal: stop.signal, cpuMs: () => cpuMs, giveBack }).catch(() => undefined)
  await clock.run({ untilMs: seconds * 1000 })
  stop.abort()
  return rests
}

describe('memory rest', () => {
  it('gives back once what starting took, and nothing while nothing is done', async () => {
    assert.deepEqual(await restsIn(600, () => 0), [10])
  })

  it('gives back after work, once it is over', async () => {
    const work = (second: number): number => (second >= 100 && second < 160 ? 900 : 1)
    assert.deepEqual(await restsIn(600, work), [10, 170])
  })

  it('never stops a node that is at work', async () => {
    assert.deepEqual(await restsIn(600, () => 200), [])
  })

  it('rests seldom beside little work', async () => {
    assert.ok((await restsIn(3600, () => 40)).length <= 75)
  })

  it('gives back what nobody holds', async () => {
    const heldBytes = (): number => process.memoryUsage().arrayBuffers
    await giveBackMemory()
    const before = heldBytes()
    const make = (): number[] =>
      Array.from({ length: 64 }, () => new Uint8Array(2 ** 20).fill(1).length)
    assert.equal(make().length, 64)
    await giveBackMemory()
    assert.ok(heldBytes() < before + 2 ** 24, `${heldBytes()} bytes are held, ${before} before`)
  })
})
