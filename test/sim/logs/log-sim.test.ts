/** Runs of a log under a few seeds, and what their plans hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { runPlan } from '../run-plan.ts'
import { attackWays } from './log-attack.ts'
import { logLies } from './log-lies.ts'
import { isWithin, type LogPlan, makeLogPlan } from './log-plan.ts'

/** Whether in every config of the plan at most f servers lie or forget. */
function isTame({ options, items }: LogPlan): boolean {
  const faults = items.filter((item) => item.kind === 'fault')
  const moves = items.flatMap((item) => (item.kind === 'move' ? [item.servers] : []))
  const members = [...Array(options.members).keys()]
  return [members, ...moves].every((config) => isWithin(faults, config))
}

describe('plan of a log', () => {
  const many = Array.from({ length: 500 }, (_, i) => makeLogPlan(`plan ${i}`))

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(makeLogPlan('1'), makeLogPlan('1'))
    assert.notDeepEqual(makeLogPlan('1').items, makeLogPlan('2').items)
  })

  it('keeps to what a log must survive, but for some that go beyond', () => {
    const beyond = many.filter((plan) => !isTame(plan)).length
    assert.ok(beyond > 40 && beyond < 150, `${beyond} of 500`)
  })

  it('draws every way to lie, every attack and everything that befalls a machine', () => {
    const items = many.flatMap((plan) => plan.items)
    const kinds = new Set<string>(items.map(({ kind }) => kind))
    for (const kind of ['crash', 'lose', 'restore', 'clone', 'split', 'move', 'revoke', 'grant']) {
      assert.ok(kinds.has(kind), kind)
    }
    const told = items.flatMap((item) =>
      item.kind === 'fault' && item.fault.kind === 'lie' ? [item.fault.lie] : [],
    )
    assert.deepEqual([...new Set(told)].sort(), [...logLies].sort())
    const ways = items.flatMap((item) => (item.kind === 'attack' ? [item.way] : []))
    assert.deepEqual([...new Set(ways)].sort(), [...attackWays].sort())
  })
})

describe('simulation of a log', () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`keeps every promise under seed ${seed}`, async () => {
      assert.equal((await runPlan(makeLogPlan(String(seed)))).violation, undefined)
    })
  }

  it('does the same things again from the same plan, kept as JSON', async () => {
    const plan = makeLogPlan('again')
    const first = await runPlan(plan)
    const again = await runPlan(JSON.parse(JSON.stringify(plan)) as LogPlan)
    assert.deepEqual(again, first)
    assert.notEqual((await runPlan(makeLogPlan('other'))).digest, first.digest)
  })
})
