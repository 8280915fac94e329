import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { type ProgressFacts, progressLine, TimedProgress } from '../../src/cli/progress.ts'
import { Screen } from '../../src/cli/screen.ts'
import { ManualClock, MemorySink } from './fake-world.ts'

function record(intervalMs: number) {
  const clock = new ManualClock()
  const shown: (ProgressFacts | undefined)[] = []
  return {
    clock,
    shown,
    progress: new TimedProgress(clock, intervalMs, (facts) => shown.push(facts)),
  }
}

describe('progress', () => {
  it('shows every interval how far a task is, and tidies up at its end', () => {
    const { clock, shown, progress } = record(1000)
    const task = progress.start('photo.jpg', 100_000)
    for (let second = 1; second <= 5; second++) {
      task.advance(second * 10_000, `${second}/10 shares`)
      clock.advance(1000)
    }
    assert.equal(shown.length, 5)
    assert.deepEqual(shown[0], {
      task: 'photo.jpg',
      doneBytes: 10_000,
      totalBytes: 100_000,
      detail: '1/10 shares',
    })
    assert.deepEqual(shown[4], {
      task: 'photo.jpg',
      doneBytes: 50_000,
      totalBytes: 100_000,
      bytesPerSecond: 10_000,
      remainingMs: 5000,
      detail: '5/10 shares',
    })
    task.end()
    task.end()
    clock.advance(5000)
    assert.deepEqual(shown.slice(5), [undefined])
    assert.equal(clock.timerCount, 0)
  })

  it('goes on showing while nothing moves', () => {
    const { clock, shown, progress } = record(10_000)
    progress.start('stdin', undefined).advance(1)
    clock.advance(35_000)
    assert.equal(shown.length, 3)
    assert.deepEqual(shown[0], { task: 'stdin', doneBytes: 1, bytesPerSecond: 0 })
  })

  it('writes a line for people', () => {
    const facts = { task: 'a', doneBytes: 512 * 2 ** 20, totalBytes: 2 ** 30 }
    assert.equal(progressLine(facts), 'a  50 % of 1.00 GiB')
    assert.equal(
      progressLine({
        ...facts,
        bytesPerSecond: 2 ** 20,
        remainingMs: 150_000,
        detail: '7/10 shares',
      }),
      'a  50 % of 1.00 GiB  1.00 MiB/s  about 3 min  7/10 shares',
    )
    assert.equal(progressLine({ task: 'a', doneBytes: 0, totalBytes: 0 }), 'a  100 % of 0 B')
    assert.equal(progressLine({ task: 'a', doneBytes: 9 }), 'a  9 B')
  })

  it('never says that all is done before it is', () => {
    assert.equal(progressLine({ task: 'a', doneBytes: 999, totalBytes: 1000 }), 'a  99 % of 1000 B')
  })
})

describe('screen', () => {
  it('keeps the live line below the lines that stay', () => {
    const sink = new MemorySink(true)
    const screen = new Screen(sink)
    screen.draw('10 %')
    screen.draw('10 %')
    screen.print('warning')
    screen.draw('')
    screen.print('end')
    assert.equal(sink.text, '\r\u001b[K10 %\r\u001b[Kwarning\n10 %\r\u001b[Kend\n')
  })

  it('cuts the live line to the width', () => {
    const sink = new MemorySink(true)
    new Screen(sink).draw('é'.repeat(200))
    assert.equal(sink.text, `\r\u001b[K${'é'.repeat(79)}`)
  })
})
