import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { formatElapsed, formatRemaining, parseDurationMs } from '../../src/cli/duration.ts'
import { Meter } from '../../src/cli/meter.ts'

/** Feeds a meter `bytesPerMs(nowMs)` in steps of 100 ms until `endMs`. */
function run(
  meter: Meter,
  endMs: number,
  bytesPerMs: (nowMs: number) => number,
  seen: (nowMs: number) => void = () => {},
): void {
  for (let nowMs = meter.startMs + 100; nowMs <= endMs; nowMs += 100) {
    meter.update(nowMs, meter.doneBytes + 100 * bytesPerMs(nowMs))
    seen(nowMs)
  }
}

describe('meter', () => {
  it('tells nothing in the first three seconds', () => {
    const meter = new Meter(0, 1_000_000)
    run(
      meter,
      2900,
      () => 10,
      (nowMs) => {
        assert.equal(meter.bytesPerSecond(nowMs), undefined)
        assert.equal(meter.remainingMs(nowMs), undefined)
      },
    )
    meter.update(3000, 30_000)
    meter.update(3300, 33_000)
    assert.equal(Math.round(meter.bytesPerSecond(3300)!), 10_000)
    assert.equal(meter.remainingMs(3300), 96_700)
  })

  it('never guesses an end without a total', () => {
    const meter = new Meter(0, undefined)
    run(meter, 10_000, () => 10)
    assert.equal(meter.bytesPerSecond(10_000), 10_000)
    assert.equal(meter.remainingMs(10_000), undefined)
  })

  it('follows a change of rate within seconds', () => {
    const meter = new Meter(0, undefined)
    run(meter, 20_000, (nowMs) => (nowMs < 10_000 ? 10 : 40))
    const rate = meter.bytesPerSecond(20_000)!
    assert.ok(rate > 33_000 && rate < 40_000, String(rate))
  })

  it('keeps its guess while the rate trembles', () => {
    const meter = new Meter(0, 10_000_000)
    const ends = new Set<number>()
    run(
      meter,
      120_000,
      (nowMs) => 50 + 10 * Math.sin(nowMs / 700),
      (nowMs) => {
        const remainingMs = meter.remainingMs(nowMs)
        if (remainingMs !== undefined) ends.add(Math.round(nowMs + remainingMs))
      },
    )
    assert.ok(ends.size >= 1 && ends.size <= 4, [...ends].join())
  })

  it('gives a guess up in a standstill, and makes another after it', () => {
    const meter = new Meter(0, 10_000_000)
    run(meter, 10_000, () => 100)
    assert.ok(meter.remainingMs(10_000)! > 0)
    for (let nowMs = 10_100; nowMs <= 130_000; nowMs += 100) meter.update(nowMs, 1_000_000)
    assert.ok(meter.bytesPerSecond(130_000)! < 1)
    assert.equal(meter.remainingMs(130_000), undefined)
    for (let nowMs = 130_100; nowMs <= 150_000; nowMs += 100) {
      meter.update(nowMs, 1_000_000 + 100 * (nowMs - 130_000))
    }
    const remainingMs = meter.remainingMs(150_000)!
    assert.ok(remainingMs > 60_000 && remainingMs < 90_000, String(remainingMs))
  })

  it('never tells a negative or infinite number', () => {
    const step = fc.tuple(fc.nat({ max: 5000 }), fc.nat({ max: 10 ** 9 }))
    fc.assert(
      fc.property(fc.array(step), fc.nat({ max: 10 ** 9 }), (steps, totalBytes) => {
        const meter = new Meter(0, totalBytes)
        let nowMs = 0
        for (const [elapsedMs, doneBytes] of steps) {
          nowMs += elapsedMs
          meter.update(nowMs, doneBytes)
          for (const value of [meter.bytesPerSecond(nowMs) ?? 0, meter.remainingMs(nowMs) ?? 0]) {
            assert.ok(value >= 0 && Number.isFinite(value), String(value))
          }
        }
      }),
    )
  })
})

describe('duration', () => {
  it('reads times', () => {
    const times: [string, number][] = [
      ['1ms', 1],
      ['30s', 30_000],
      ['5m', 300_000],
      ['2h', 7_200_000],
      ['24d', 2_073_600_000],
    ]
    for (const [text, ms] of times) assert.equal(parseDurationMs(text), ms)
  })

  it('refuses what is no time, and more than a timer can hold', () => {
    for (const text of ['', '0s', '30', 's', '1.5s', '-1s', '1 s', '25d', '9999999999s', '1w']) {
      assert.equal(parseDurationMs(text), undefined, text)
    }
  })

  it('says roughly what remains and closely what it took', () => {
    const remaining = [0, 10_000, 10_001, 60_000, 60_001, 5_400_000, 5_400_001].map(formatRemaining)
    assert.deepEqual(remaining, [
      ...['a few seconds', 'a few seconds', 'about 20 s', 'about 60 s', 'about 2 min'],
      ...['about 90 min', 'about 2 h'],
    ])
    const elapsed = [0, 420, 9994, 9995, 59_949, 59_950, 125_400].map(formatElapsed)
    assert.deepEqual(elapsed, [
      '0.00 s',
      '0.42 s',
      '9.99 s',
      '10.0 s',
      '59.9 s',
      '1 min 00 s',
      '2 min 05 s',
    ])
  })
})
