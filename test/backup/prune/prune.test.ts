/** Prunes over servers that keep holds, with the time that it takes. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { carryOut, planOf } from '../../../src/backup/prune/prune.ts'
import { takeBack } from '../../../src/backup/prune/take-back.ts'
import { MemoryCacheFolder } from '../../../src/backup/memory/memory-cache-folder.ts'
import { equalBytes } from '../../../src/base/bytes.ts'
import { type Clock, SystemClock } from '../../../src/base/clock.ts'
import { GridError, isGridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { sealBody } from '../../../src/log/sealed-body.ts'
import { formatSnapshot } from '../../../src/log/snapshot-body.ts'
import { storageIndexOf } from '../../../src/encoding/descriptor.ts'
import type { LogSnapshot } from '../../../src/node/logs/readable-log.ts'
import { shownContent } from '../memory-tree.ts'
import { PruneWorld } from './prune-world.ts'

const large = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 3000 }, (_, i) => (i * seed + (i >> 3) * 7) & 0xff)

/** Six snapshots, 20 days apart: each has a file that the others have not. */
async function halfAYear(world: PruneWorld): Promise<LogSnapshot[]> {
  for (let i = 1; i <= 6; i++) {
    world.machine.tree.write('same', large(1))
    world.machine.tree.write(`dir/${i}`, large(i + 1))
    if (i > 1) world.machine.tree.remove(`dir/${i - 1}`)
    await world.machine.backUp()
    world.clock.moveDays(20)
  }
  await world.test()
  return world.snapshots()
}

async function prune(world: PruneWorld, policy = {}): Promise<void> {
  const parts = await world.parts()
  const report = await carryOut(parts, await planOf(parts, policy))
  assert.deepEqual(report.silent, [])
}

describe('a prune', () => {
  it('gives up what only dropped snapshots stand on, and servers delete it after quarantine', async () => {
    const world = await PruneWorld.open()
    const snapshots = await halfAYear(world)
    const before = await world.shareCounts()
    const planned = await world.plan()
    assert.equal(planned.plan.dropped.length, 5)
    assert.equal(planned.plan.kept.length, 1)
    await prune(world)
    assert.deepEqual(await world.shareCounts(), before)
    assert.equal(await world.sweep(), 0)
    world.clock.moveDays(31)
    assert.ok((await world.sweep()) > 0)
    const after = await world.shareCounts()
    assert.ok(after.every((count, i) => count < before[i] / 2))
    const last = await world.files(snapshots[5])
    assert.deepEqual(
      last.map(([path]) => path),
      ['dir/6', 'same'],
    )
    await assert.rejects(world.files(snapshots[0]))
    assert.equal((await world.plan()).garbage.releasedCount, 0)
  })

  it('is taken back, byte for byte, until quarantine ends', async () => {
    const world = await PruneWorld.open()
    const snapshots = await halfAYear(world)
    const files = await Promise.all(snapshots.map((each) => world.files(each)))
    await prune(world)
    world.clock.moveDays(29)
    const { prunes, objects, readopted, lost } = await takeBack(await world.parts(), 1)
    assert.deepEqual([prunes, lost], [1, 0])
    assert.ok(objects > 0 && readopted === objects)
    world.clock.moveDays(60)
    assert.equal(await world.sweep(), 0)
    for (const [i, each] of snapshots.entries()) assert.deepEqual(await world.files(each), files[i])
  })

  it('runs with a key that can read nothing', async () => {
    const world = await PruneWorld.open()
    await halfAYear(world)
    const cap = await world.grid.logs.grantPruner(world.admin, { label: 'pruner' })
    const parts = await world.parts(cap)
    const planned = await planOf(parts, {})
    const byAdmin = await world.plan()
    assert.deepEqual(planned.plan.dropped, byAdmin.plan.dropped)
    const report = await carryOut(parts, planned)
    assert.ok(report.changed > 0 && report.releases === 1)
    world.clock.moveDays(31)
    assert.ok((await world.sweep()) > 0)
  })

  it('keeps true snapshots from a thief who writes empty ones with dates as he likes', async () => {
    const world = await PruneWorld.open()
    await halfAYear(world)
    const policy = { monthly: 12, daily: 30 }
    const before = (await world.plan(policy)).plan.kept.map(({ id }) => id)
    // the thief has the machine's cap, and a clock of his own
    const { clock, machine } = world
    for (const path of ['same', 'dir/6']) machine.tree.remove(path)
    for (let month = 0; month < 12; month++) {
      const endMs = Date.UTC(2026, month + 1, 1) - 1
      machine.folder = new MemoryCacheFolder()
      machine.clock = fixedClock(endMs)
      await machine.backUp()
    }
    const after = (await world.plan(policy)).plan
    for (const id of before) assert.ok(after.kept.some((each) => each.id === id))
    clock.moveDays(45)
    await world.test()
    const later = (await world.plan(policy)).plan
    for (const id of before) assert.ok(later.kept.some((each) => each.id === id))
  })

  it('spares what a backup stores that is under way, and what it commits later', async () => {
    const world = await PruneWorld.open()
    await halfAYear(world)
    const other = await world.another('desk')
    other.tree.write('first', large(40))
    let pruned = false
    const { logs } = other.grid
    const append = logs.append.bind(logs)
    logs.append = async (...args) => {
      // all of it is stored by now, and no snapshot tells of it
      await prune(world)
      pruned = true
      world.clock.moveDays(1)
      return append(...args)
    }
    await other.backUp()
    assert.ok(pruned)
    world.clock.moveDays(40)
    await world.sweep()
    const newest = (await world.snapshots()).find(({ device }) => device === 'desk')
    assert.deepEqual(await world.files(newest!), [['first', shownContent(large(40))]])
  })

  it('aborts at what it cannot read, and releases nothing', async () => {
    const world = await PruneWorld.open()
    const snapshots = await halfAYear(world)
    const top = storageIndexOf(snapshots[5].snapshot!.cap.root)
    world.wrap((peer) => ({
      getBlocks: async (request, options) => {
        if (equalBytes(request.storageIndex, top)) throw new GridError('E_ABSENT', 'gone')
        return peer.getBlocks(request, options)
      },
    }))
    world.grid = world.client()
    await assert.rejects(world.plan(), (error) => isGridError(error, 'E_NOT_ENOUGH_SHARES'))
  })

  it('releases nothing where a later version of Grid has written a snapshot', async () => {
    const world = await PruneWorld.open()
    const [{ snapshot }] = await halfAYear(world)
    const { logs } = world.machine.grid
    const { writer } = await logs.device(world.machine.append)
    const { readerKey: reader, verifierKey: verifier } = writer.view.genesis
    const later = formatSnapshot(snapshot!)
    later[1] = 2
    await writer.append('snapshot', (place) =>
      sealBody(place, { reader, verifier }, { reader: later, verifier: later }, new SystemRandom()),
    )
    const isLater = (error: unknown): boolean => isGridError(error, 'E_VERSION')
    await assert.rejects(world.plan(), isLater)
    const cap = await world.grid.logs.grantPruner(world.admin, { label: 'pruner' })
    const parts = await world.parts(cap)
    await assert.rejects(planOf(parts, {}), isLater)
  })

  it('refuses without a restore test, and without a quorum of the log', async () => {
    const world = await PruneWorld.open(4)
    world.machine.tree.write('a', large(1))
    await world.machine.backUp()
    await assert.rejects(world.plan(), (error) => isGridError(error, 'E_USAGE'))
    await world.test()
    assert.equal((await world.plan()).plan.refusal, undefined)
    world.clock.moveDays(91)
    await assert.rejects(world.plan(), (error) => isGridError(error, 'E_USAGE'))
    world.candidates.splice(0, 3)
    world.grid = world.client()
    await assert.rejects(world.plan(), (error) => isGridError(error))
  })

  it('takes back what kept snapshots stand on and somebody released', async () => {
    const world = await PruneWorld.open()
    const snapshots = await halfAYear(world)
    const parts = await world.parts()
    const { account, release } = parts
    // a wrong release of everything
    const all: Uint8Array[] = []
    for (const { id } of world.candidates)
      for await (const page of account.held(id)) all.push(...page.map((each) => each.storageIndex))
    const cutoffMs = Math.floor(world.clock.nowMs())
    const { entry } = await release({ server: undefined, cutoffMs, storageIndexes: all }, {})
    for (const { id } of world.candidates) await account.release(id, entry)
    await prune(world, { last: 6 })
    world.clock.moveDays(40)
    await world.sweep()
    for (const each of snapshots) await world.files(each)
  })

  it('goes on without a server that is not known any more half-way', async () => {
    const world = await PruneWorld.open(4)
    await halfAYear(world)
    let gone: string | undefined
    world.wrap((peer) => ({
      readLog: (...args) => {
        gone ??= world.candidates.splice(3, 1)[0]?.id
        return peer.readLog(...args)
      },
    }))
    world.grid = world.client()
    // its account knows the servers of before
    const parts = await world.parts()
    world.candidates.push({ ...world.candidates[0], id: gone!, peer: world.servers[3] })
    gone = undefined
    const planned = await planOf(parts, {})
    assert.deepEqual(
      planned.silent.map(({ peerId, code }) => [peerId, code]),
      [[gone, 'E_UNREACHABLE']],
    )
    const report = await carryOut(parts, planned)
    assert.ok(report.changed > 0)
    assert.deepEqual(
      report.silent.map(({ code }) => code),
      ['E_UNREACHABLE'],
    )
  })

  it('believes no server that names objects without end', async () => {
    const world = await PruneWorld.open()
    const holds = Array.from({ length: 1024 }, () => {
      return { storageIndex: new Uint8Array(20), touchedMs: 1, chargedBytes: 0 }
    })
    world.wrap(() => ({ listHolds: async () => ({ holds, complete: false }) }))
    world.grid = world.client()
    const { account } = await world.parts()
    const list = async (): Promise<void> => {
      const pages = account.held(world.candidates[0].id)
      while ((await pages.next()).done !== true);
    }
    await assert.rejects(list(), (error) => isGridError(error, 'E_TOO_LARGE'))
  })

  it('leaves a server alone whose clock is far off', async () => {
    const world = await PruneWorld.open()
    await halfAYear(world)
    const { id } = world.candidates[2]
    let released = false
    world.wrap((peer) => {
      if (peer.id !== id) return {}
      return {
        status: async (options) => {
          const status = await peer.status(options)
          return { ...status, nowMs: status.nowMs - 30 * 24 * 3600 * 1000 }
        },
        release: (...args) => {
          released = true
          return peer.release(...args)
        },
      }
    })
    world.grid = world.client()
    const planned = await world.plan()
    assert.deepEqual(
      planned.cutoff.astray.map(({ server }) => server),
      [id],
    )
    await prune(world)
    assert.ok(!released)
  })

  it('asks before it gives up more than half, or what came before a great change', async () => {
    const world = await PruneWorld.open()
    await halfAYear(world)
    const { doubts } = await world.plan()
    assert.ok(doubts.some(({ kind }) => kind === 'shrinks'))
    assert.ok(doubts.some(({ kind }) => kind === 'replaced'))
    assert.deepEqual((await world.plan({ last: 6 })).doubts, [])
  })
})

/** The clock of a machine whose owner sets it as he likes. */
function fixedClock(nowMs: number): Clock {
  const clock = new SystemClock()
  return Object.assign(Object.create(clock) as Clock, { nowMs: () => nowMs })
}
