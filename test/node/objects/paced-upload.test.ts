import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { content, MemoryGrid } from '../memory-grid.ts'

describe('an upload with a limited rate', () => {
  it('sends no faster, and takes no server for silent that it keeps waiting', async () => {
    const clock = new SimClock(new SimRandom('paced'))
    const memory = await MemoryGrid.of(5, undefined, { clock })
    const limit = { uploadBytesPerSecond: 10_000, redundancy: { k: 1, happy: 3, n: 3 } }
    const files = [content(100_000), content(300_000, 1), content(200_000, 2)]
    let sentBytes = 0
    const storing = memory.grid.trees.write(async (writer) => {
      await Promise.all(files.map((bytes) => writer.putContent({ stream: [bytes] })))
      sentBytes = writer.totals.sentBytes
    }, limit)
    let isDone = false
    storing.then(
      () => (isDone = true),
      () => (isDone = true),
    )
    await clock.run({ done: () => isDone })
    await storing
    assert.ok(sentBytes > 1_800_000 && sentBytes < 2_000_000, `${sentBytes} bytes`)
    const ms = (sentBytes * 1000) / limit.uploadBytesPerSecond
    assert.ok(Math.abs(clock.monotonicMs() - ms) < 2_000, `${clock.monotonicMs()} ms`)
  })
})
