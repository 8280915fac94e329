/** What a backup does so that a prune takes nothing from under it. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { MemoryCacheFolder } from '../../../src/backup/memory/memory-cache-folder.ts'
import { carryOut, planOf } from '../../../src/backup/prune/prune.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { GridError, isGridError } from '../../../src/base/errors.ts'
import { shownContent } from '../memory-tree.ts'
import { PruneWorld } from './prune-world.ts'

const large = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 3000 }, (_, i) => (i * seed + (i >> 3) * 7) & 0xff)

/** Counts what servers are asked about holds. */
function counting(world: PruneWorld): { touched: number; puts: number } {
  const counts = { touched: 0, puts: 0 }
  world.wrap((peer) => ({
    touch: (indexes, options) => {
      counts.touched += indexes.length
      return peer.touch(indexes, options)
    },
    putShare: (...args) => {
      counts.puts++
      return peer.putShare(...args)
    },
  }))
  return counts
}

async function pruneAll(world: PruneWorld): Promise<void> {
  await world.test()
  const parts = await world.parts()
  await carryOut(parts, await planOf(parts, {}))
}

describe('objects that a backup relies on', () => {
  it('are not asked about where the cache is of the last snapshot', async () => {
    const world = await PruneWorld.open()
    const counts = counting(world)
    world.machine.tree.write('a', large(1))
    await world.machine.backUp()
    const puts = counts.puts
    world.clock.moveDays(100)
    world.machine.tree.write('b', Uint8Array.of(1))
    await world.machine.backUp()
    assert.ok(counts.puts > puts)
    assert.equal(counts.touched, 0)
  })

  it('are all touched where the cache was put back, and so survive', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    await machine.backUp()
    const image = await copyOf(machine.folder)
    world.clock.moveDays(5)
    const a = machine.tree.find('a')!
    machine.tree.remove('a')
    machine.tree.write('b', large(2))
    await machine.backUp()
    // the file and the cache come back, as they were
    world.clock.moveDays(40)
    machine.folder = image
    machine.tree.remove('b')
    machine.tree.root.children.set('a', a)
    const counts = counting(world)
    await machine.backUp()
    assert.ok(counts.touched > 0)
    await pruneAll(world)
    world.clock.moveDays(40)
    await world.sweep()
    const newest = (await world.snapshots()).at(-1)!
    assert.deepEqual(await world.files(newest), [['a', shownContent(large(1))]])
  })

  it('are stored anew where servers have deleted them', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    await machine.backUp()
    const image = await copyOf(machine.folder)
    const a = machine.tree.find('a')!
    machine.tree.remove('a')
    machine.tree.write('b', large(2))
    await machine.backUp()
    world.clock.moveDays(40)
    await pruneAll(world)
    world.clock.moveDays(40)
    assert.ok((await world.sweep()) > 0)
    machine.folder = image
    machine.tree.root.children.set('a', a)
    await machine.backUp()
    const newest = (await world.snapshots()).at(-1)!
    assert.deepEqual(await world.files(newest), [
      ['a', shownContent(large(1))],
      ['b', shownContent(large(2))],
    ])
  })

  it('are touched where the cache was put back together with the clock of then', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    await machine.backUp()
    const image = await copyOf(machine.folder)
    const thenMs = world.clock.nowMs()
    world.clock.moveDays(60)
    machine.tree.write('b', large(2))
    await machine.backUp()
    machine.folder = image
    machine.clock = Object.assign(Object.create(world.clock) as Clock, {
      nowMs: () => thenMs + 3_600_000,
      monotonicMs: () => world.clock.monotonicMs(),
      after: world.clock.after.bind(world.clock),
    })
    const counts = counting(world)
    await machine.backUp()
    assert.ok(counts.touched > 0)
  })

  it('are touched once more where the machine slept for days meanwhile', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    for (const days of [2, -2]) {
      let touched = 0
      let isAsleep = false
      world.wrap((peer) => ({
        touch: (indexes, options) => {
          touched += indexes.length
          return peer.touch(indexes, options)
        },
        putShare: (...args) => {
          if (!isAsleep) world.clock.jumpDays(days)
          isAsleep = true
          return peer.putShare(...args)
        },
      }))
      machine.tree.write('a', large(10 + days))
      await machine.backUp()
      assert.ok(touched > 0)
    }
  })

  it('are touched once more where a run was cut short and goes on', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    const { logs } = machine.grid
    const append = logs.append.bind(logs)
    logs.append = () => Promise.reject(new GridError('E_TIMEOUT', 'cut short'))
    await assert.rejects(machine.backUp(), (error) => isGridError(error, 'E_TIMEOUT'))
    logs.append = append
    const counts = counting(world)
    world.clock.moveDays(10)
    await machine.backUp()
    assert.ok(counts.touched > 0)
  })

  it('are touched once more after two days', async () => {
    const world = await PruneWorld.open()
    const { machine } = world
    machine.tree.write('a', large(1))
    let touched = 0
    let isFirst = true
    world.wrap((peer) => ({
      touch: (indexes, options) => {
        touched += indexes.length
        return peer.touch(indexes, options)
      },
      // the first share takes two days to get there
      putShare: (...args) => {
        if (isFirst) world.clock.moveDays(2)
        isFirst = false
        return peer.putShare(...args)
      },
    }))
    await machine.backUp()
    assert.ok(touched > 0)
  })
})

/** The folder as it is now, as a backup of the machine itself would have it. */
async function copyOf(folder: MemoryCacheFolder): Promise<MemoryCacheFolder> {
  const copy = new MemoryCacheFolder()
  for (const name of await folder.list()) {
    const file = folder.open(name)!
    copy.create(name).append(file.read(0, file.sizeBytes))
  }
  return copy
}
