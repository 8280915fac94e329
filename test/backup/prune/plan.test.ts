/** The plan: vectors of docs/specs/prune.md (made by test/second/prune.py), and what holds of any log. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { bucketOf, bucketUnits, dayMs } from '../../../src/backup/prune/calendar.ts'
import { type PlanInput, planPrune, type PlanSnapshot } from '../../../src/backup/prune/plan.ts'
import { checkVector, readVectors } from '../../vectors/read.ts'

type Given = Omit<PlanInput, 'nowMs' | 'snapshots'> & {
  now: number
  snapshots: (Omit<PlanSnapshot, 'receivedMs'> & { receivedMs: number | null })[]
}

const operations = {
  'prune-plan': ({ now, snapshots, ...rest }: Given) => {
    const dated = snapshots.map((each) => ({ ...each, receivedMs: each.receivedMs ?? undefined }))
    const { refusal, ...plan } = planPrune({ ...rest, nowMs: now, snapshots: dated })
    return { ...plan, refusal: refusal ?? null }
  },
}

const nowMs = 20_500 * dayMs + 12 * 3_600_000
const numRuns = process.env.SLOW === '1' ? 3000 : 150

/** Two devices and an intruder's worth of anything. */
const logs = fc
  .array(
    fc.record({
      chain: fc.constantFrom('aa', 'bb'),
      series: fc.constantFrom('', 'x'),
      receivedMs: fc.option(fc.integer({ min: nowMs - 1500 * dayMs, max: nowMs }), {
        nil: undefined,
        freq: 20,
      }),
      tags: fc.subarray(['t', 'u']),
      seen: fc.array(fc.tuple(fc.constantFrom('aa', 'bb', 'cc'), fc.integer({ min: 1, max: 40 })), {
        maxLength: 2,
      }),
    }),
    { maxLength: 60 },
  )
  .map((all) => all.map((each, i): PlanSnapshot => ({ ...each, id: `${i}`, seq: i + 1 })))

const count = fc.integer({ min: 0, max: 12 })
const policies = fc.record({
  last: count,
  hourly: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
})

function planOf(snapshots: readonly PlanSnapshot[], more: Partial<PlanInput> = {}) {
  const tested = snapshots.slice(0, 3).map(({ id }) => ({ id, testedMs: nowMs }))
  return planPrune({ nowMs, policy: {}, snapshots, tested, entriesPerDay: {}, ...more })
}

function keptIds(snapshots: readonly PlanSnapshot[], more: Partial<PlanInput> = {}): Set<string> {
  return new Set(planOf(snapshots, more).kept.map(({ id }) => id))
}

describe('plan of a prune', () => {
  for (const vector of readVectors('prune')) it(vector.id, () => checkVector(vector, operations))

  it('counts days, weeks, months and years as the calendar does', () => {
    for (let ms = Date.UTC(1970, 0, 1); ms < Date.UTC(2130, 0, 1); ms += 11.3 * dayMs) {
      const date = new Date(ms)
      const month = date.getUTCFullYear() * 12 + date.getUTCMonth()
      assert.equal(bucketOf('monthly', ms), month, date.toISOString())
      assert.equal(bucketOf('yearly', ms), date.getUTCFullYear())
      const monday = bucketOf('weekly', ms) * 7 - 3
      assert.equal(new Date(monday * dayMs).getUTCDay(), 1)
      assert.ok(ms >= monday * dayMs && ms < (monday + 7) * dayMs)
    }
    for (const year of [1999, 2000, 2001, 2004, 2100])
      for (let month = 0; month < 12; month++) {
        const ms = Date.UTC(year, month, 1)
        assert.equal(bucketOf('monthly', ms) - bucketOf('monthly', ms - 1), 1)
      }
  })

  it('keeps or drops each snapshot once, and tells why it keeps', () => {
    fc.assert(
      fc.property(logs, policies, (snapshots, policy) => {
        const { kept, dropped } = planOf(snapshots, { policy })
        const ids = [...kept.map(({ id }) => id), ...dropped].sort()
        assert.deepEqual(ids, snapshots.map(({ id }) => id).sort())
        assert.ok(kept.every(({ reasons }) => reasons.length > 0))
      }),
      { numRuns },
    )
  })

  it('keeps what is recent, undated, tested since or the newest, whatever is asked for', () => {
    fc.assert(
      fc.property(logs, policies, (snapshots, policy) => {
        const kept = keptIds(snapshots, { policy })
        const floorMs = Math.max(
          ...snapshots.slice(0, 3).map(({ receivedMs }) => receivedMs ?? -Infinity),
        )
        for (const { id, receivedMs, chain, series, seq } of snapshots) {
          const isNewest = snapshots.every(
            (other) => other.chain !== chain || other.series !== series || other.seq <= seq,
          )
          const isRecent = receivedMs === undefined || receivedMs >= nowMs - 30 * dayMs
          const isSince = receivedMs !== undefined && floorMs > 0 && receivedMs >= floorMs
          if (isNewest || isRecent || isSince) assert.ok(kept.has(id))
        }
      }),
      { numRuns },
    )
  })

  it('gives the same plan in whatever order a log is read', () => {
    fc.assert(
      fc.property(logs, policies, (snapshots, policy) => {
        // a moment that two share is settled by their numbers
        const tested = snapshots.slice(0, 3).map(({ id }) => ({ id, testedMs: nowMs }))
        const forth = keptIds(snapshots, { policy, tested })
        assert.deepEqual(forth, keptIds([...snapshots].reverse(), { policy, tested }))
      }),
      { numRuns },
    )
  })

  it('keeps more for a policy that asks for more', () => {
    fc.assert(
      fc.property(logs, policies, fc.constantFrom(...bucketUnits), (snapshots, policy, unit) => {
        const more = keptIds(snapshots, { policy: { ...policy, [unit]: policy[unit] + 3 } })
        for (const id of keptIds(snapshots, { policy })) assert.ok(more.has(id))
      }),
      { numRuns },
    )
  })

  it('drops nothing more for what another device adds', () => {
    fc.assert(
      fc.property(logs, policies, (snapshots, policy) => {
        const tested = snapshots
          .filter(({ chain }) => chain === 'aa')
          .slice(0, 1)
          .map(({ id }) => ({ id, testedMs: nowMs }))
        const alone = snapshots.filter(({ chain }) => chain === 'aa')
        const both = keptIds(snapshots, { policy, tested })
        for (const id of keptIds(alone, { policy, tested })) assert.ok(both.has(id))
      }),
      { numRuns },
    )
  })

  it('keeps what was kept, but for the bounds of counts, when an intruder adds to a chain', () => {
    // 5 years of honest days; then the thief adds 20 a day for 29 days, whatever he says of time
    const honest = Array.from({ length: 60 }, (_, i): PlanSnapshot => {
      const receivedMs = nowMs - (1800 - 30 * i) * dayMs
      return { ...blank, id: `h${i}`, seq: i + 1, receivedMs }
    })
    const theirs = Array.from({ length: 580 }, (_, i): PlanSnapshot => {
      const receivedMs = nowMs - 29 * dayMs + i * (dayMs / 20)
      return { ...blank, id: `t${i}`, seq: 61 + i, receivedMs }
    })
    const policy = { monthly: 24, yearly: 10 }
    const before = keptIds(honest, { policy })
    const after = keptIds([...honest, ...theirs], { policy })
    const lost = [...before].filter((id) => !after.has(id))
    // two months are newer than those of honest snapshots: so many leave at the other end
    assert.ok(lost.length <= 2, lost.join(' '))
    assert.ok(after.has('h59') && after.has('h0'))
  })
})

const blank = { chain: 'aa', series: '', tags: [], seen: [] }
