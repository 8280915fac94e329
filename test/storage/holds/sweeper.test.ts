import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { SystemRandom } from '../../../src/base/random.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import type { ClockLook, SweepMemory } from '../../../src/storage/holds/sweep-memory.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { asClient } from '../../suites/as-client.ts'
import { allHolds, onAccount, releaseOf } from '../../suites/hold-peer.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject, type TestObject } from '../../suites/objects.ts'
import { putBytes } from '../../suites/share-store.ts'
import { heldBody, putObjectShare, refused } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

const log = new TestLog()

class Stand {
  readonly clock = new MovedClock()
  readonly store = new MemoryStore()
  holds: OpenHolds | undefined
  server!: LocalPeer
  /** On the account of `log`. */
  admin!: StoragePeer
  /** Without an account. */
  peer!: StoragePeer

  constructor() {
    this.restart()
  }

  /** A new server over the same shares, which remembers `memory` alone of what was before, and `kept.holds`. */
  restart(memory?: SweepMemory, kept: { believedDays?: number; holds?: OpenHolds } = {}): void {
    const open = async (): Promise<OpenHolds> => {
      const holds = kept.holds ?? (await memoryHolds())
      this.holds = { ...holds, memory: memory ?? holds.memory }
      return this.holds
    }
    const random = new SystemRandom()
    const { believedDays } = kept
    const holds = { open, random, leaseDays: 50, quarantineDays: 20, believedDays }
    const { store, clock } = this
    this.server = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0, holds })
    this.peer = asClient(this.server, 'client')
    this.admin = onAccount({ peer: this.peer, clientId: 'client' }, log)
  }

  /** Lets days go by, with a sweep each day, as a node does. */
  async days(count: number): Promise<number> {
    let deleted = 0
    for (let day = 0; day < count; day++) {
      this.clock.moveDays(1)
      deleted += (await this.server.sweep()).deletedShares
    }
    return deleted
  }

  async has({ storageIndex }: TestObject): Promise<boolean> {
    const [shares] = await this.server.have([storageIndex])
    return shares.length > 0
  }
}

const object = makeObject()
const other = makeObject({ seed: 'other' })

interface Released {
  /** Which shares of `object`; the first unless told. */
  shareNumbers?: readonly number[]
  /** Held beside it, and not released. */
  beside?: TestObject
  /** Days that went by since, with a sweep each. */
  days: number
}

/** A server at which the account held `object` for a day, and then let it go. */
async function released(parts: Released): Promise<Stand> {
  const { shareNumbers = [0], beside, days } = parts
  const stand = new Stand()
  for (const number of shareNumbers) await putObjectShare(stand.admin, object, number)
  if (beside) await putObjectShare(stand.admin, beside, 0)
  stand.clock.moveDays(1)
  await stand.peer.release(releaseOf(log, [object]))
  assert.equal(await stand.days(days), 0)
  return stand
}

describe('Sweeper', () => {
  it('deletes what was released once its quarantine is over, and nothing else', async () => {
    const stand = await released({ shareNumbers: [0, 1], beside: other, days: 19 })
    assert.ok(await stand.has(object))
    assert.equal(await stand.days(2), 2)
    assert.ok(!(await stand.has(object)))
    assert.equal(await stand.days(400), 0)
    assert.ok(await stand.has(other))
    assert.equal((await allHolds(stand.admin)).length, 1)
    assert.equal((await stand.server.status()).quarantinedCount, 0)
  })

  it('deletes what was leased when lease and quarantine are over', async () => {
    const stand = new Stand()
    await putObjectShare(stand.peer, object, 0)
    assert.equal(await stand.days(69), 0)
    assert.equal(await stand.days(2), 1)
    assert.deepEqual(await stand.peer.touch([object.storageIndex]), ['absent'])
    assert.equal(await putObjectShare(stand.peer, object, 0), 'stored')
  })

  it('deletes with an object the shares of it that could be stored and not noted', async () => {
    const stand = await released({ days: 19 })
    await putBytes(stand.store, object.storageIndex, 2, object.shares[2])
    assert.equal(await stand.days(2), 2)
    assert.deepEqual(await stand.store.list(object.storageIndex), [])
  })

  it('keeps what was touched in its last hour', async () => {
    const stand = await released({ days: 19 })
    assert.deepEqual(await stand.admin.touch([object.storageIndex]), ['readopted'])
    assert.equal(await stand.days(400), 0)
    assert.ok(await stand.has(object))
  })

  it('keeps what is being put again', async () => {
    const stand = await released({ days: 19 })
    const body = heldBody(object.shares[1])
    const putting = stand.admin.putShare(object.storageIndex, 1, body)
    await body.reached
    assert.equal(await stand.days(5), 0)
    body.go()
    assert.equal(await putting, 'stored')
    assert.deepEqual(await stand.server.have([object.storageIndex]), [[0, 1]])
  })

  it('lets nobody take back what is being deleted', async () => {
    const stand = await released({ days: 19 })
    const remove = stand.store.remove.bind(stand.store)
    let outcomes: unknown
    stand.store.remove = async (...share) => {
      outcomes = await stand.admin.touch([object.storageIndex])
      await refused(putObjectShare(stand.admin, object, 0), 'E_BUSY')
      await remove(...share)
    }
    assert.equal(await stand.days(2), 1)
    assert.deepEqual(outcomes, ['absent'])
    assert.equal(await putObjectShare(stand.admin, object, 0), 'stored')
  })

  it('takes up again a deletion that a crash cut short', async () => {
    const stand = await released({ days: 19 })
    const remove = stand.store.remove.bind(stand.store)
    stand.store.remove = () => Promise.reject(new Error('planned'))
    await assert.rejects(stand.days(2), /planned/)
    stand.store.remove = remove
    assert.ok(await stand.has(object))
    assert.equal(await stand.days(1), 1)
  })

  it('deletes nothing until a clock that jumped has gone as it should for the time of quarantine', async () => {
    const stand = await released({ days: 1 })
    stand.clock.jumpDays(40)
    assert.equal((await stand.server.sweep()).refusal, 'clock')
    assert.equal(await stand.days(18), 0)
    assert.ok(await stand.has(object))
    assert.equal(await stand.days(3), 1)
  })

  it('is not misled by a clock that was wrong between two sweeps', async () => {
    const stand = await released({ beside: other, days: 1 })
    stand.clock.jumpDays(300)
    assert.deepEqual(await stand.admin.touch([other.storageIndex]), ['held'])
    stand.clock.jumpDays(-300)
    assert.equal(await stand.days(17), 0)
    assert.ok(await stand.has(object))
  })

  it('counts anew after a restart at another time than it was', async () => {
    const stand = new Stand()
    let seen: ClockLook | undefined
    const memory: SweepMemory = {
      lastLook: async () => seen,
      see: async (look) => void (seen = look),
    }
    stand.restart(memory)
    await putObjectShare(stand.admin, object, 0)
    stand.clock.moveDays(1)
    await stand.server.release(releaseOf(log, [object]))
    seen = { wallMs: stand.clock.nowMs() + 300 * 24 * 3600 * 1000, steadyMs: 2 ** 50 }
    stand.clock.moveDays(30)
    assert.equal((await stand.server.sweep()).refusal, 'clock')
    assert.ok(await stand.has(object))
    assert.equal(await stand.days(19), 0)
    assert.equal(await stand.days(2), 1)
  })

  it('asks before much goes at once', async () => {
    const stand = new Stand()
    const objects = Array.from({ length: 34 }, (_, i) => makeObject({ seed: `many ${i}` }))
    for (const each of objects) {
      for (const number of [0, 1, 2]) await putObjectShare(stand.admin, each, number)
    }
    stand.clock.moveDays(1)
    await stand.peer.release(releaseOf(log, objects))
    await stand.days(20)
    stand.clock.moveDays(1)
    const { due, freeShares, ...refused } = await stand.server.sweep()
    assert.deepEqual([refused.deletedShares, refused.refusal], [0, 'consent'])
    assert.deepEqual([due.objects, due.shares, freeShares], [34, 102, 100])
    assert.equal((await stand.server.sweep({ consentShares: 101 })).refusal, 'consent')
    const { deletedShares, refusal } = await stand.server.sweep({ consentShares: 102 })
    assert.deepEqual({ deletedShares, refusal }, { deletedShares: 102, refusal: undefined })
  })

  it('says what is due and what waits, and does nothing else', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    await putObjectShare(stand.admin, object, 1)
    await putObjectShare(stand.admin, other, 0)
    await stand.days(1)
    await stand.peer.release(releaseOf(log, [object]))
    const releasedMs = stand.clock.nowMs()
    await stand.days(10)
    await stand.peer.release(releaseOf(log, [other], { releaseSeq: 2 }))
    const early = await stand.server.sweep({ dryRun: true })
    assert.deepEqual([early.due.objects, early.waiting.objects, early.waiting.shares], [0, 2, 3])
    assert.ok(early.waiting.bytes >= 3 * 4096)
    const dueMs = releasedMs + 20 * 24 * 3600 * 1000
    assert.ok(Math.abs((early.nextMs ?? 0) - dueMs) < 60_000)
    stand.clock.moveDays(11)
    const { due, waiting, deletedShares, refusal } = await stand.server.sweep({ dryRun: true })
    assert.deepEqual([due.shares, waiting.shares, deletedShares, refusal], [2, 1, 0, undefined])
    assert.ok(await stand.has(object))
    assert.equal((await stand.server.sweep()).deletedShares, 2)
    assert.equal(stand.server.holds.lastSweep?.deletedShares, 2)
    assert.equal((await stand.server.sweep({ dryRun: true })).due.objects, 0)
  })

  it('says of an index that may not know all that it does not, and leaves it so', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    stand.restart()
    assert.equal((await stand.server.sweep({ dryRun: true })).refusal, 'index')
    assert.equal((await stand.server.sweep({ walk: false })).refusal, 'index')
    assert.equal(stand.holds?.index.isComplete, false)
  })

  it('says until when a jump of the clock counts, and believes the operator that it is right', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    stand.clock.moveDays(1)
    await stand.peer.release(releaseOf(log, [object]))
    await stand.days(1)
    stand.clock.jumpDays(40)
    const nowMs = stand.clock.nowMs()
    const told = await stand.server.sweep({ dryRun: true })
    assert.equal(told.refusal, 'clock')
    assert.ok(Math.abs((told.clockUntilMs ?? 0) - nowMs - 20 * 24 * 3600 * 1000) < 60_000)
    assert.equal((await stand.server.sweep()).refusal, 'clock')
    assert.equal((await stand.server.sweep({ clockIsRight: true })).deletedShares, 1)
  })

  it('believes a week between two processes where it is told to, and no more', async () => {
    for (const [days, believed] of [
      [6.9, true],
      [7.1, false],
    ] as const) {
      const stand = new Stand()
      let seen: ClockLook | undefined
      const memory: SweepMemory = {
        lastLook: async () => seen,
        see: async (look) => void (seen = look),
      }
      const parts = await memoryHolds()
      const start = (): void => stand.restart(memory, { believedDays: 7, holds: parts })
      start()
      await putObjectShare(stand.admin, object, 0)
      stand.clock.moveDays(1)
      await stand.server.release(releaseOf(log, [object]))
      // it has jumped once, so it must go on as it should for the time of quarantine
      seen = { wallMs: stand.clock.nowMs(), steadyMs: 0 }
      let deleted = 0
      for (let run = 0; run < 4; run++) {
        stand.clock.jumpDays(days)
        start()
        deleted += (await stand.server.sweep()).deletedShares
      }
      assert.equal(deleted, believed ? 1 : 0)
    }
  })

  it('is one at a time', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    stand.clock.moveDays(1)
    await stand.peer.release(releaseOf(log, [object]))
    await stand.days(19)
    stand.clock.moveDays(2)
    const reports = await Promise.all([stand.server.sweep(), stand.server.sweep()])
    assert.deepEqual(
      reports.map(({ due, deletedShares }) => [due.shares, deletedShares]),
      [
        [1, 1],
        [0, 0],
      ],
    )
  })

  it('takes what it finds without a hold for nobody’s, and keeps it for a year after an account held it too', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    await putObjectShare(stand.peer, other, 0)
    stand.restart()
    assert.equal(await stand.days(500), 0)
    await stand.server.release(releaseOf(log, [object]))
    assert.equal((await stand.server.status()).quarantinedCount, 0)
    assert.deepEqual(await stand.admin.touch([object.storageIndex]), ['held'])
    stand.clock.moveDays(1)
    await stand.server.release(releaseOf(log, [object], { releaseSeq: 2 }))
    // somebody may count on it whose record was lost
    assert.equal(await stand.days(360), 0)
    assert.equal(await stand.days(40), 1)
    assert.ok(await stand.has(other))
  })

  it('knows of every share before it deletes any', async () => {
    const stand = new Stand()
    await putObjectShare(stand.admin, object, 0)
    stand.restart()
    const first = await stand.server.sweep()
    assert.equal(first.refusal, undefined)
    assert.equal(stand.holds?.index.isComplete, true)
    assert.equal(stand.holds?.index.page({ after: undefined, limit: 2 }).objects.length, 1)
  })
})
