import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Strikes } from '../../src/members/strikes.ts'
import { ManualClock } from '../cli/fake-world.ts'

describe('strikes', () => {
  it('remember 1,024 origins, those of the last strikes, whoever comes', () => {
    const strikes = new Strikes(new ManualClock())
    const strike = (origin: string): void => {
      for (let i = 0; i < 3; i++) strikes.add(origin)
    }
    strike('first')
    for (let i = 1; i < 1024; i++) strike(`${i}`)
    assert.equal(strikes.isOut('first'), true)
    strike('one more')
    assert.equal(strikes.isOut('first'), false)
    assert.equal(strikes.isOut('1'), true)
    assert.equal(strikes.isOut('one more'), true)
  })
})
