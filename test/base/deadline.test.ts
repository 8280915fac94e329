import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { orAbort, untilAborted, withDeadline } from '../../src/base/deadline.ts'
import { isGridError } from '../../src/base/errors.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'

const never = new Promise<never>(() => {})

function newClock(): SimClock {
  return new SimClock(new SimRandom('deadline'))
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

describe('withDeadline', () => {
  it('ends work that does not end with E_TIMEOUT', async () => {
    const clock = newClock()
    const work = withDeadline(clock, 5000, (signal) => orAbort(never, signal))
    const refused = assert.rejects(work, (error) => isGridError(error, 'E_TIMEOUT'))
    await clock.run()
    await refused
    assert.equal(clock.monotonicMs(), 5000)
  })

  it('ends work when the signal from outside aborts, before or meanwhile', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const work = withDeadline(newClock(), 5000, (signal) => orAbort(never, signal), controller)
    controller.abort(reason)
    await assert.rejects(work, reason)
    await assert.rejects(
      withDeadline(newClock(), 5000, (signal) => orAbort(never, signal), controller),
      reason,
    )
  })

  it('leaves no timer behind', async () => {
    const clock = newClock()
    assert.equal(await withDeadline(clock, 5000, async () => 7), 7)
    await clock.run()
    assert.equal(clock.monotonicMs(), 0)
  })
})

describe('untilAborted', () => {
  it('passes on what it is given, from either kind of source', async () => {
    const { signal } = new AbortController()
    const source = async function* (): AsyncGenerator<number> {
      yield* [1, 2, 3]
    }
    assert.deepEqual(await collect(untilAborted(source(), signal)), [1, 2, 3])
    assert.deepEqual(await collect(untilAborted([1, 2, 3], undefined)), [1, 2, 3])
  })

  it('ends at once when aborted, though the source hangs', async () => {
    const controller = new AbortController()
    const source = async function* (): AsyncGenerator<number> {
      yield 1
      await never
    }
    const collected = collect(untilAborted(source(), controller.signal))
    controller.abort(new Error('enough'))
    await assert.rejects(collected, /enough/)
  })

  it('tells a source that was not used up to return', async () => {
    let returned: () => void
    const told = new Promise<void>((resolve) => (returned = resolve))
    const source = async function* (): AsyncGenerator<number> {
      try {
        yield* [1, 2]
      } finally {
        returned()
      }
    }
    for await (const item of untilAborted(source(), undefined)) {
      assert.equal(item, 1)
      break
    }
    await told
  })

  it('throws what the source throws', async () => {
    const source = async function* (): AsyncGenerator<number> {
      yield 1
      throw new Error('broken')
    }
    await assert.rejects(collect(untilAborted(source(), undefined)), /broken/)
  })
})
