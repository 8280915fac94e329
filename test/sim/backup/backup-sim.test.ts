/** Runs of backups under a few seeds, and what their plans hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { runPlan } from '../run-plan.ts'
import { backupLies, type BackupPlan, isWithin, makeBackupPlan } from './backup-plan.ts'

function isTame({ options, items }: BackupPlan): boolean {
  return isWithin(
    items.filter((item) => item.kind === 'fault'),
    options,
  )
}

describe('plan of backups', () => {
  const many = Array.from({ length: 1500 }, (_, i) => makeBackupPlan(`plan ${i}`))

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(makeBackupPlan('1'), makeBackupPlan('1'))
    assert.notDeepEqual(makeBackupPlan('1').items, makeBackupPlan('2').items)
  })

  it('keeps to what a backup must survive, but for some that go beyond', () => {
    const beyond = many.filter((plan) => !isTame(plan)).length
    assert.ok(beyond > 150 && beyond < 350, `${beyond} of 1500`)
  })

  it('draws every way to lie, every edit and everything that befalls a machine', () => {
    const items = many.flatMap((plan) => plan.items)
    const kinds = new Set<string>(items.map(({ kind }) => kind))
    for (const kind of ['crash', 'lose', 'restore', 'split', 'machine-disk', 'read', 'run']) {
      assert.ok(kinds.has(kind), kind)
    }
    const told = items.flatMap((item) =>
      item.kind === 'fault' && item.fault.kind === 'lie' ? [item.fault.lie] : [],
    )
    assert.deepEqual([...new Set(told)].sort(), [...backupLies].sort())
    const edits = items.flatMap((item) => (item.kind === 'edit' ? [item.edit.edit] : []))
    assert.equal(new Set(edits).size, 9)
  })
})

describe('simulation of backups', () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`keeps every promise under seed ${seed}`, async () => {
      assert.equal((await runPlan(makeBackupPlan(String(seed)))).violation, undefined)
    })
  }

  it('does the same things again from the same plan, kept as JSON', async () => {
    const plan = makeBackupPlan('again')
    const first = await runPlan(plan)
    assert.deepEqual(await runPlan(JSON.parse(JSON.stringify(plan)) as BackupPlan), first)
  })
})
