import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { DirectoryKeeper } from '../../src/introducer/directory-keeper.ts'
import { Directory } from '../../src/introducer/directory.ts'
import { HostClock } from '../sim/host-clock.ts'
import { rots, SimDisk } from '../sim/sim-disk.ts'
import { announcementOf, dayMs, gridName, startMs } from './nodes.ts'
import { idOf, namesOf, targetOf, World } from './world.ts'

const path = '/cache/peers'
const main = targetOf('introducer')

/** A list on a disk, through one process after the other. */
class Shelf {
  readonly world: World
  readonly disk: SimDisk
  readonly events: string[] = []

  constructor(seed: string) {
    this.world = new World(seed)
    this.disk = this.world.disk('client')
  }

  /** A new process that has loaded the list. */
  async boot(called = gridName) {
    const clock = new HostClock(this.world.clock)
    const disk = this.disk.mount(clock)
    await this.world.run(disk.makeDirectory('/cache'))
    await this.world.run(disk.syncDirectory('/'))
    const limits = { maxNodes: 100, maxNodesOfSource: 100, keepExpiredMs: 90 * dayMs }
    const directory = new Directory({ gridName: called, ...limits })
    const trace = { event: (name: string) => this.events.push(name) }
    const keeper = new DirectoryKeeper(directory, { keptAt: { disk, path }, clock, trace })
    await this.world.run(keeper.load())
    const learn = (...names: string[]): void => {
      for (const name of names) directory.accept(announcementOf(name), 'x', startMs)
      keeper.changed()
    }
    const known = (): string[] =>
      [...directory.since(0)].map(({ announcement: { nodeId } }) => nodeId).sort()
    return { keeper, directory, learn, known, clock }
  }

  idsOf(...names: string[]): string[] {
    return names.map(idOf).sort()
  }
}

describe('kept list', () => {
  it('survives a restart, with who named each node and until when it counts', async () => {
    const shelf = new Shelf('restart')
    const first = await shelf.boot()
    first.learn('a', 'b')
    await shelf.world.run(first.keeper.close())
    const second = await shelf.boot()
    assert.deepEqual(second.known(), shelf.idsOf('a', 'b'))
    const { sources, untilMs } = second.directory.get(idOf('a'))!
    assert.deepEqual([sources, untilMs], [['x'], startMs + dayMs])
    assert.deepEqual(shelf.events, [])
  })

  it('names nobody to a home that is in another grid by now', async () => {
    const shelf = new Shelf('another grid')
    const first = await shelf.boot()
    first.learn('a')
    await shelf.world.run(first.keeper.close())
    assert.deepEqual((await shelf.boot('another')).known(), [])
  })

  it('is written some seconds after a change, once for many', async () => {
    const shelf = new Shelf('delay')
    const { learn } = await shelf.boot()
    for (const name of ['a', 'b', 'c']) learn(name)
    await shelf.world.pass(4_000)
    assert.equal(shelf.disk.image.usedBytes(1), 0)
    await shelf.world.pass(2_000)
    shelf.disk.kill()
    assert.deepEqual((await shelf.boot()).known(), shelf.idsOf('a', 'b', 'c'))
  })

  it('is the old one or the new one after a power cut at any moment', async () => {
    const seen = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const shelf = new Shelf(`power ${seed}`)
      const first = await shelf.boot()
      first.learn('a')
      await shelf.world.run(first.keeper.close())
      const second = await shelf.boot()
      second.learn('b')
      const closing = second.keeper.close()
      await shelf.world.pass(shelf.world.random.unit() * 3)
      second.clock.stop()
      shelf.disk.cutPower()
      void closing
      const third = await shelf.boot()
      const known = third.known()
      assert.ok(known.includes(idOf('a')), `seed ${seed}: the old list is lost`)
      seen.add(known.length)
      assert.deepEqual(shelf.events, [])
      // and a file that was left half-way is in nobody's way
      third.learn('c')
      await shelf.world.run(third.keeper.close())
      assert.ok((await shelf.boot()).known().includes(idOf('c')))
    }
    assert.deepEqual(seen, new Set([1, 2]))
  })

  for (const kind of rots) {
    it(`gives nothing that nobody signed when its file has ${kind}`, async () => {
      for (let seed = 0; seed < 8; seed++) {
        const shelf = new Shelf(`${kind} ${seed}`)
        const first = await shelf.boot()
        first.learn('a', 'b', 'c')
        await shelf.world.run(first.keeper.close())
        shelf.disk.rot(kind, (name) => name === path)
        const second = await shelf.boot()
        const names = shelf.idsOf('a', 'b', 'c')
        assert.ok(second.known().every((id) => names.includes(id)))
        second.learn('d')
        await shelf.world.run(second.keeper.close())
        assert.ok((await shelf.boot()).known().includes(idOf('d')))
      }
    })
  }

  for (const call of ['create', 'write', 'sync', 'rename', 'openRead', 'read'] as const) {
    it(`goes on without the disk when ${call} fails`, async () => {
      const shelf = new Shelf(call)
      const first = await shelf.boot()
      first.learn('a')
      await shelf.world.run(first.keeper.close())
      shelf.disk.arm({ call, code: 'EIO', skip: 0, count: 1 })
      const second = await shelf.boot()
      second.learn('b')
      await shelf.world.run(second.keeper.close())
      assert.equal(shelf.events.length, 1)
      assert.ok((await shelf.boot()).known().length > 0)
    })
  }

  it('refuses a file longer than any list, unread', async () => {
    const shelf = new Shelf('long')
    const { clock } = await shelf.boot()
    const disk = shelf.disk.mount(clock)
    const file = await shelf.world.run(disk.create(path))
    await shelf.world.run(file.write([new Uint8Array(7 * 1024 * 1024)], 0))
    assert.deepEqual((await shelf.boot()).known(), [])
    assert.deepEqual(shelf.events, ['introducer.list-unreadable'])
  })
})

describe('subscriber with every introducer gone', () => {
  it('goes on from the kept list for 30 days, through a restart', async () => {
    const world = new World('gone')
    const disk = world.disk('client')
    const keptAt = () => ({ disk: disk.mount(world.clock), path: '/peers' })
    await world.introducer('introducer')
    for (const name of ['a', 'b']) await world.node(name, [main])
    const first = await world.subscriber('client', [main], { keptAt: keptAt() })
    await world.pass(60_000)
    for (const name of ['introducer', 'a', 'b']) world.kill(name)
    await world.run(first.close())
    world.kill('client')

    const second = await world.subscriber('client', [main], { keptAt: keptAt() })
    assert.deepEqual(namesOf(second), ['a', 'b'])
    world.clockOf('client').skewMs = 30 * dayMs
    await world.pass(3600_000)
    assert.deepEqual(namesOf(second), ['a', 'b'])
    assert.deepEqual(second.nodes()[0]?.addresses, ['/ip4/203.0.113.7/tcp/7780'])
    assert.equal(second.introducers()[0]?.failure?.code, 'E_UNREACHABLE')
  })

  it('introducers too keep their list through a restart', async () => {
    const world = new World('introducer restart')
    const disk = world.disk('introducer')
    const keptAt = () => ({ disk: disk.mount(world.clock), path: '/nodes' })
    const first = await world.introducer('introducer', { keptAt: keptAt() })
    await world.node('a', [main])
    await world.pass(60_000)
    world.kill('a')
    await world.run(first.close())
    await world.introducer('introducer', { keptAt: keptAt() })
    assert.deepEqual(namesOf(await world.subscriber('client', [main])), ['a'])
  })
})
