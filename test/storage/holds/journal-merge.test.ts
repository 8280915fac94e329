/** A journal of holds stays as small as what it says, while it is written. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, u32be } from '../../../src/base/bytes.ts'
import type { Disk } from '../../../src/base/disk.ts'
import { applyRecord } from '../../../src/storage/holds/apply-record.ts'
import { DiskHoldJournal } from '../../../src/storage/holds/disk-hold-journal.ts'
import { clientHolder, holdOf, unheld, withHold } from '../../../src/storage/holds/held-object.ts'
import type { HoldIndex } from '../../../src/storage/holds/hold-index.ts'
import { snapshotOf } from '../../../src/storage/holds/journal-snapshot.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { indexOf } from '../../suites/share-store.ts'
import { altered } from '../../sim/altered.ts'
import {
  account,
  author,
  directory,
  filesOf,
  Keeper,
  machineOf,
  objectCount,
  releaseOf,
  smallLimits as limits,
  stateOf,
  touchMuch,
  touchOf,
  touchUntil,
  watched,
} from './journal-keeper.ts'

function sumOf(values: Iterable<number>): number {
  return [...values].reduce((sum, value) => sum + value, 0)
}

describe('merged journal of holds', () => {
  it('is never much longer than what it says, however long a process runs', async () => {
    const machine = await machineOf('long')
    const seen = watched()
    let disk: Disk | undefined
    const around = (mounted: Disk): Disk => (disk = mounted)
    const keeper = await Keeper.start(machine, { limits, trace: seen.trace, around })
    let most = 0
    for (let round = 0; round < 40; round++) {
      await machine.run(touchMuch(keeper, 1000 + 1000 * round, 50))
      await machine.run(keeper.addFirst(releaseOf(round + 1, 1600 + 1000 * round, [round % 8])))
      most = Math.max(most, sumOf((await filesOf(machine, disk!)).values()))
    }
    // 2,000 records of 143 bytes, of which 8 say all
    assert.ok(most < 6000, `${most} bytes`)
    assert.ok(seen.merged.length > 20 && seen.failed === 0)
    // each record is written twice or so again in all
    assert.ok(sumOf(seen.merged) < 3 * 2000 * 143)
    machine.disk.cutPower()
    const again = await Keeper.start(machine, { limits })
    assert.equal(again.journal.isIndexSound, false)
    assert.deepEqual(stateOf(again.index), stateOf(keeper.index))
  })

  it('is in order when its process ends so, though it has begun many segments', async () => {
    const machine = await machineOf('order')
    const keeper = await Keeper.start(machine, { limits: { ...limits, endedBytes: 1e6 } })
    await machine.run(touchMuch(keeper, 1000, 100))
    await machine.run(keeper.journal.close(keeper.index))
    const again = await Keeper.start(machine, { limits })
    assert.equal(again.journal.isIndexSound, true)
    assert.deepEqual(stateOf(again.index), stateOf(keeper.index))
    const names = (await filesOf(machine, machine.disk.mount(machine.clock))).keys()
    // full segments are no reason to put them into one at a start
    assert.ok([...names].length > 20)
  })

  it('is not written anew while that would not make it much shorter', async () => {
    const machine = await machineOf('tight')
    const seen = watched()
    const keeper = await Keeper.start(machine, { limits, trace: seen.trace })
    for (let i = 0; i < 200; i++) await machine.run(keeper.add(touchOf(i, 1000 + 10 * i)))
    assert.ok(seen.merged.length <= 2, `${seen.merged.length} times`)
  })

  it('puts away no release that the index has not carried out yet', async () => {
    const machine = await machineOf('pinned')
    const seen = watched()
    const keeper = await Keeper.start(machine, { limits, trace: seen.trace })
    await machine.run(touchMuch(keeper, 1000, 8))
    const record = releaseOf(1, 2000, [1])
    const unpin = keeper.journal.pin()
    await machine.run(keeper.journal.append([record], { durable: true }))
    await machine.run(touchMuchBut(keeper, 1, 3000, 60))
    assert.deepEqual(seen.merged, [])
    await keeper.index.change((writer) => applyRecord(writer, record))
    unpin()
    await machine.clock.run()
    assert.equal(seen.merged.length, 1)
    machine.disk.cutPower()
    const { index } = await Keeper.start(machine, { limits })
    assert.equal(holdOf(index.object(indexOf(1))!, account)?.releasedMs, 2000)
  })

  it('leaves all as it is beside another process that writes, and after one that was killed', async () => {
    const machine = await machineOf('beside')
    const disk = machine.disk.mount(machine.clock)
    const running = new Set(['1', '2'])
    const index = new MemoryHoldIndex()
    const seen = watched()
    const start = async (own: string): Promise<Keeper> => {
      const writers = { own, isRunning: (name: string) => running.has(name) }
      const { trace } = seen
      const options = { disk, directory, clock: machine.clock, writers, limits, trace }
      const keeper = new Keeper(await machine.run(DiskHoldJournal.open(options)), index)
      await machine.run(keeper.journal.replay(index))
      return keeper
    }
    const first = await start('1')
    await machine.run(first.journal.begin())
    const second = await start('2')
    await machine.run(second.add(touchOf(100, 1000)))
    const [other] = [...(await filesOf(machine, disk)).keys()].filter((name) =>
      name.includes('.2.'),
    )
    await machine.run(touchMuch(first, 2000, 60))
    assert.deepEqual(seen.merged, [])
    await machine.run(second.journal.close(index))
    running.delete('2')
    await machine.run(touchMuch(first, 3000, 60))
    assert.ok(seen.merged.length > 0)
    assert.ok(!(await filesOf(machine, disk)).has(other))
    // one that has ended without closing says more than the index may know
    running.add('3')
    const third = await start('3')
    await machine.run(third.add(touchOf(101, 4000)))
    running.delete('3')
    seen.merged.length = 0
    await machine.run(touchMuch(first, 5000, 60))
    assert.deepEqual(seen.merged, [])
    machine.disk.cutPower()
    const { index: again } = await Keeper.start(machine, { limits })
    assert.ok(again.object(indexOf(100)) && again.object(indexOf(101)))
  })

  it('is left in order by one that ends while it writes it anew, and takes what a dead one left', async () => {
    for (const isOrderly of [true, false]) {
      const machine = await machineOf('cut short')
      const keeper = await Keeper.start(machine, { limits })
      const unfinished = (): boolean => [...machine.disk.image.files()].some(isUnfinished)
      void touchUntil(keeper, unfinished)
      await machine.clock.run({ done: unfinished })
      assert.ok(unfinished())
      if (isOrderly) await machine.run(keeper.journal.close(keeper.index))
      else machine.disk.kill()
      assert.equal(unfinished(), !isOrderly)
      const again = await Keeper.start(machine, { limits })
      if (isOrderly) assert.equal(again.journal.isIndexSound, true)
      assert.ok(!unfinished())
      assert.ok(again.index.object(indexOf(7)))
    }
  })

  it('leaves the last of a full disk to what must be recorded', async () => {
    const machine = await machineOf('full')
    const seen = watched()
    const around = (disk: Disk): Disk =>
      altered(disk, { space: async () => ({ freeBytes: 1000, totalBytes: 1e6 }) })
    const keeper = await Keeper.start(machine, { limits, around, trace: seen.trace })
    await machine.run(touchMuch(keeper, 1000, 100))
    assert.deepEqual(seen.merged, [])
    // it does not look again with each segment
    assert.ok(seen.failed > 0 && seen.failed < 10, `${seen.failed} times`)
  })

  it('keeps what was purged of accounts that never released, and of clients without one', async () => {
    const index = new MemoryHoldIndex()
    const holders = [account, clientHolder('a client'), clientHolder('another client')]
    const noAuthor = new Uint8Array(32)
    await index.change((writer) => {
      for (const [i, holder] of holders.entries()) {
        const hold = { holder, payer: undefined, touchedMs: 1000, expiresMs: 9000 }
        writer.setObject(indexOf(i), withHold({ ...unheld, chargedBytes: 5000 }, hold))
        if (i === 2) continue
        const purge = { atMs: 2000, cutoffMs: 1500, releaseSeq: 0, storageIndexes: [indexOf(i)] }
        applyRecord(writer, { kind: 'released', account: holder, author: noAuthor, ...purge })
      }
    })
    const again = new MemoryHoldIndex()
    for await (const records of snapshotOf(index, { atMs: 3000, pause: async () => {} })) {
      await again.change((writer) => records.forEach((record) => applyRecord(writer, record)))
    }
    const ends = holders.map((holder, i) => holdOf(again.object(indexOf(i))!, holder)?.releasedMs)
    assert.deepEqual(ends, [2000, 2000, 0])
    assert.deepEqual(stateOf(again), stateOf(index))
  })

  it('reads the index in small pages with pauses, and has few holds in memory', async () => {
    const index = new MemoryHoldIndex()
    const count = 20_000
    await index.change((writer) => {
      for (let i = 0; i < count; i++) {
        const object = { ...unheld, chargedBytes: 5000 }
        const hold = { holder: account, payer: undefined, touchedMs: 1000, expiresMs: 0 }
        writer.setObject(concat(u32be(i), new Uint8Array(16)), withHold(object, hold))
      }
      writer.setLastRelease(account, author, 1)
    })
    const limitsAsked: number[] = []
    const asked = altered<HoldIndex>(index, {
      page: (options) => {
        limitsAsked.push(options.limit)
        return index.page(options)
      },
    })
    let [pauses, most, held] = [0, 0, 0]
    const pause = async (): Promise<void> => {
      pauses++
    }
    for await (const records of snapshotOf(asked, { atMs: 3000, pause })) {
      for (const record of records) {
        const rows = record.kind === 'held' ? record.holds : []
        held += rows.length
        assert.ok(rows.length <= 1024)
      }
      most = Math.max(most, held - pauses * 256)
    }
    assert.equal(held, count)
    assert.ok(Math.max(...limitsAsked) <= 256)
    assert.equal(pauses, limitsAsked.length - 1)
    assert.ok(most <= 256, `${most}`)
  })
})

function isUnfinished({ path }: { path: string }): boolean {
  return path.endsWith('.journal.new')
}

async function touchMuchBut(
  keeper: Keeper,
  but: number,
  startMs: number,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const number = i % objectCount
    if (number !== but) await keeper.add(touchOf(number, startMs + 10 * i))
  }
}
