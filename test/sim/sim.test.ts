import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'
import { lies } from './lies.ts'
import type { LogPlan } from './logs/log-plan.ts'
import { makePlan, troubleOf, type Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'

const plans = path.resolve(import.meta.dirname, '../../../test/sim/plans')

/** The most servers of a plan that are in trouble at one time. */
function mostInTrouble({ items }: Plan): number {
  const faults = items.filter((item) => item.kind === 'fault')
  const counts = faults.map((event) => {
    const { fromMs } = troubleOf(event)
    const open = faults.filter((other) => {
      const trouble = troubleOf(other)
      return trouble.fromMs <= fromMs && fromMs < trouble.toMs
    })
    return new Set(open.map(({ server }) => server)).size
  })
  return Math.max(0, ...counts)
}

describe('plan', () => {
  const many = Array.from({ length: 500 }, (_, i) => makePlan(`plan ${i}`))

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(makePlan('1'), makePlan('1'))
    assert.notDeepEqual(makePlan('1').items, makePlan('2').items)
  })

  it('keeps to what a grid must survive, but for a quarter that goes beyond', () => {
    const beyond = many.filter((plan) => {
      return mostInTrouble(plan) > plan.options.n - plan.options.happy
    })
    assert.ok(beyond.length > 50 && beyond.length < 150, `${beyond.length} of 500`)
  })

  it('draws every way to lie, and every kind of fault', () => {
    const faults = many.flatMap(({ items }) =>
      items.flatMap((item) => (item.kind === 'fault' ? [item.fault] : [])),
    )
    assert.equal(new Set(faults.map(({ kind }) => kind)).size, 16)
    const told = faults.flatMap((fault) => (fault.kind === 'lie' ? [fault.lie] : []))
    assert.deepEqual([...new Set(told)].sort(), [...lies].sort())
  })
})

describe('simulation', () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`keeps every promise under seed ${seed}`, async () => {
      assert.equal((await runPlan(makePlan(String(seed)))).violation, undefined)
    })
  }

  for (const name of readdirSync(plans)) {
    it(`keeps every promise that it once broke: ${path.parse(name).name}`, async () => {
      const plan = JSON.parse(readFileSync(path.join(plans, name), 'utf8')) as Plan | LogPlan
      assert.equal((await runPlan(plan)).violation, undefined)
    })
  }

  it('does the same things again from the same plan, kept as JSON', async () => {
    const plan = makePlan('again')
    const first = await runPlan(plan)
    const again = await runPlan(JSON.parse(JSON.stringify(plan)) as Plan)
    assert.deepEqual(again, first)
    assert.notEqual((await runPlan(makePlan('other'))).digest, first.digest)
  })
})
