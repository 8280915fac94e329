import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { SimRandom } from './sim-random.ts'

describe('SimRandom', () => {
  it('gives the same numbers for the same seed, on every machine', () => {
    assert.equal(toHex(new SimRandom('1').bytes(16)), '928e0f20ae57adeb550fb9d2ffdf8a40')
  })

  it('gives other numbers for another seed', () => {
    assert.notDeepEqual(new SimRandom('1').bytes(16), new SimRandom('2').bytes(16))
  })

  it('forks streams that do not depend on what was drawn before', () => {
    const fresh = new SimRandom('1')
    const used = new SimRandom('1')
    used.bytes(100)
    assert.deepEqual(used.fork('disk').bytes(16), fresh.fork('disk').bytes(16))
    assert.notDeepEqual(fresh.fork('disk').bytes(16), fresh.fork('net').bytes(16))
  })

  it('gives byte strings of every length', () => {
    for (const length of [0, 1, 3, 4, 5, 1000]) {
      assert.equal(new SimRandom('1').bytes(length).length, length)
    }
  })

  it('spreads its numbers evenly', () => {
    const random = new SimRandom('even')
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 100_000; i++) counts[random.below(10)]++
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${count} of 10000`)
  })

  it('includes both ends in between', () => {
    const random = new SimRandom('ends')
    const seen = new Set(Array.from({ length: 100 }, () => random.between(3, 5)))
    assert.deepEqual([...seen].sort(), [3, 4, 5])
  })

  it('shuffles without losing anything', () => {
    const list = [1, 2, 3, 4, 5, 6, 7, 8]
    const shuffled = new SimRandom('cards').shuffled(list)
    assert.notDeepEqual(shuffled, list)
    assert.deepEqual([...shuffled].sort(), list)
  })
})
