import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { cutoffOf } from '../../../src/backup/prune/server-clocks.ts'

const hourMs = 3_600_000
const ownMs = 1_000 * hourMs

function clocks(...hours: number[]) {
  return hours.map((ahead, i) => ({ server: `s${i}`, nowMs: ownMs + ahead * hourMs }))
}

describe('the cutoff of a prune', () => {
  it('is 72 hours before the earliest clock that is right, the own one among them', () => {
    assert.equal(cutoffOf(clocks(0, -0.5, 1), ownMs).cutoffMs, ownMs - 72.5 * hourMs)
    assert.equal(cutoffOf(clocks(0.5, 1), ownMs).cutoffMs, ownMs - 72 * hourMs)
  })

  it('leaves out clocks that are more than an hour off, and says which', () => {
    const { cutoffMs, servers, astray } = cutoffOf(clocks(0, -1.01, 30, -1), ownMs)
    assert.equal(cutoffMs, ownMs - 73 * hourMs)
    assert.deepEqual(servers, ['s0', 's3'])
    assert.deepEqual(astray, [
      { server: 's1', aheadMs: -1.01 * hourMs },
      { server: 's2', aheadMs: 30 * hourMs },
    ])
  })

  it('is none where no clock is right', () => {
    assert.equal(cutoffOf(clocks(2, -2), ownMs).cutoffMs, undefined)
    assert.equal(cutoffOf([], ownMs).cutoffMs, undefined)
  })

  it('is never 0, which takes back', () => {
    assert.equal(cutoffOf([{ server: 's', nowMs: 5 }], 5).cutoffMs, 1)
  })
})
