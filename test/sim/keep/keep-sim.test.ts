/** Runs of keeping under a few seeds, and what their plans hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { runPlan } from '../run-plan.ts'
import { dayMs, type KeepPlan, makeKeepPlan, releaseAttacks } from './keep-plan.ts'

describe('plan of keeping', () => {
  const many = Array.from({ length: 500 }, (_, i) => makeKeepPlan(`plan ${i}`))

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(makeKeepPlan('1'), makeKeepPlan('1'))
    assert.notDeepEqual(makeKeepPlan('1').items, makeKeepPlan('2').items)
  })

  it('lasts for months, and begins nothing after its end', () => {
    for (const { options, items } of many) {
      assert.ok(options.durationMs >= 60 * dayMs)
      assert.ok(items.every(({ atMs }) => atMs <= options.durationMs))
    }
  })

  it('draws everything that happens to what is kept, and every attack', () => {
    const items = many.flatMap((plan) => plan.items)
    const kinds = new Set(items.map(({ kind }) => kind))
    assert.equal(kinds.size, 14)
    const ways = items.flatMap((item) => (item.kind === 'attack' ? [item.way] : []))
    assert.deepEqual([...new Set(ways)].sort(), [...releaseAttacks].sort())
  })

  it('gives some servers clocks that are wrong by more than a prune puts up with', () => {
    const wrong = many.filter(({ options }) => {
      return options.skewsMs.some((skewMs) => Math.abs(skewMs) > dayMs)
    })
    assert.ok(wrong.length > 50 && wrong.length < 300, `${wrong.length} of 500`)
  })
})

describe('simulation of keeping', () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`keeps every promise under seed ${seed}`, async () => {
      assert.equal((await runPlan(makeKeepPlan(String(seed)))).violation, undefined)
    })
  }

  it('does the same things again from the same plan, kept as JSON', async () => {
    const plan = makeKeepPlan('again')
    const first = await runPlan(plan)
    const again = await runPlan(JSON.parse(JSON.stringify(plan)) as KeepPlan)
    assert.deepEqual(again, first)
    assert.notEqual((await runPlan(makeKeepPlan('other'))).digest, first.digest)
  })
})
