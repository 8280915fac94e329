import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { retryMs } from '../../src/introducer/introducer-link.ts'
import { HostClock } from '../sim/host-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { announcementOf, dayMs, facts } from './nodes.ts'
import { idOf, type Lie, namesOf, targetOf, World } from './world.ts'

const main = targetOf('introducer')
const second = targetOf('second')
const hourMs = 3600_000

/** An announcement that holds for a day of the world's time. */
function announced(world: World, name: string, addresses = ['/ip4/203.0.113.7/tcp/7780']) {
  const nowMs = world.clock.nowMs()
  const said = { addresses, seq: nowMs, expiresAtMs: nowMs + dayMs }
  return announcementOf(name, { ...said, facts: { ...facts, nickname: name } })
}

function page(cursor: number, complete: boolean, list: readonly { bytes: Uint8Array }[]) {
  return [cursor, complete ? 1 : 0, list.map(({ bytes }) => bytes)]
}

describe('subscriber', () => {
  it('knows a node within seconds of its start, whoever starts first', async () => {
    const world = new World('first')
    await world.introducer('introducer')
    const early = await world.node('early', [main])
    const late = await world.node('late', [main])
    await world.pass(5_000)
    assert.deepEqual(namesOf(early), ['late'])
    assert.deepEqual(namesOf(late), ['early'])
    const [node] = late.nodes()
    assert.equal(node.id, idOf('early'))
    assert.deepEqual(node.addresses, ['/ip4/203.0.113.7/tcp/7780'])
    assert.equal(node.stale, false)
  })

  it('keeps knowing a node that renews itself, day after day', async () => {
    const world = new World('days')
    await world.introducer('introducer')
    const client = await world.subscriber('client', [main])
    await world.node('a', [main])
    await world.pass(dayMs + hourMs)
    assert.deepEqual(
      client.nodes().map(({ stale }) => stale),
      [false],
    )
  })

  it('marks a node that died, and forgets it 90 days later', async () => {
    const world = new World('death')
    await world.introducer('introducer')
    const client = await world.subscriber('client', [main])
    await world.node('a', [main])
    await world.pass(5_000)
    world.kill('a')
    world.kill('introducer')
    const stale = (): boolean[] => client.nodes().map((node) => node.stale)
    const clock = world.clockOf('client')
    clock.skewMs = dayMs - hourMs
    assert.deepEqual(stale(), [false])
    clock.skewMs = 90 * dayMs
    await world.introducer('introducer')
    await world.pass(10 * 60_000)
    assert.deepEqual(stale(), [true])
    clock.skewMs = 91 * dayMs
    world.network.cut(idOf('client'), idOf('introducer'))
    await world.pass(10 * 60_000)
    assert.deepEqual(stale(), [])
  })

  it('counts a node as unheard while an introducer that named it is out of reach', async () => {
    const world = new World('unheard')
    await world.introducer('introducer')
    const client = await world.subscriber('client', [main, second])
    await world.node('a', [main])
    await world.pass(5_000)
    const marks = (): boolean[][] =>
      client.nodes().map((node): boolean[] => [node.stale, node.unheard])
    assert.deepEqual(marks(), [[false, false]])
    world.kill('a')
    world.kill('introducer')
    await world.pass(10 * 60_000)
    world.clockOf('client').skewMs = 2 * dayMs
    assert.deepEqual(marks(), [[true, true]], 'nobody is heard')
    await world.introducer('second')
    await world.pass(10 * 60_000)
    assert.deepEqual(marks(), [[true, true]], 'the other one never knew it')
    await world.introducer('introducer')
    await world.pass(10 * 60_000)
    assert.deepEqual(marks(), [[true, false]])
  })

  it('hears of a new address', async () => {
    const world = new World('news')
    await world.introducer('introducer')
    let changes = 0
    const client = await world.subscriber('client', [main], { onChange: () => changes++ })
    const addresses = ['/ip4/203.0.113.7/tcp/1']
    const announcer = world.announcer('a', addresses)
    await world.subscriber('a', [main], { announcer })
    await world.pass(5_000)
    assert.equal(changes, 1)
    addresses[0] = '/ip4/203.0.113.8/tcp/1'
    announcer.renew()
    await world.pass(5_000)
    assert.equal(changes, 2)
    assert.deepEqual(client.nodes()[0]?.addresses, addresses)
  })

  it('numbers its announcement above one that it made when its clock was ahead', async () => {
    const world = new World('clock')
    await world.introducer('introducer')
    const client = await world.subscriber('client', [main])
    const ahead = new HostClock(world.clock)
    ahead.skewMs = 20 * hourMs
    const announcer = world.announcer('a', ['/ip4/203.0.113.1/tcp/1'], ahead)
    await world.subscriber('a', [main], { announcer })
    await world.pass(5_000)
    world.kill('a')
    await world.node('a', [main], ['/ip4/203.0.113.2/tcp/1'])
    await world.pass(120_000)
    assert.deepEqual(client.nodes()[0]?.addresses, ['/ip4/203.0.113.2/tcp/1'])
  })

  it('goes on listening to an introducer that has no room for it', async () => {
    const world = new World('full')
    await world.introducer('introducer', { maxNodesOfAddress: 1 })
    await world.node('a', [main])
    await world.pass(5_000)
    const late = await world.node('late', [main])
    await world.pass(60_000)
    assert.deepEqual(namesOf(late), ['a'])
    assert.equal(late.introducers()[0]?.listening, true)
    assert.ok(world.events.includes('introducer.refused'))
  })

  it('joins what several introducers name, and goes on with those that work', async () => {
    const world = new World('several')
    await world.introducer('introducer')
    await world.introducer('second')
    await world.node('a', [main])
    await world.node('b', [second])
    const client = await world.subscriber('client', [main, second, targetOf('nobody')])
    await world.pass(5_000)
    assert.deepEqual(namesOf(client), ['a', 'b'])
    assert.deepEqual(
      client
        .introducers()
        .map(({ listening, named, failure }) => [listening, named, failure?.code]),
      [
        [true, 1, undefined],
        [true, 1, undefined],
        [false, 0, 'E_UNREACHABLE'],
      ],
    )
  })

  it('finds an introducer that comes back after a day', async () => {
    const world = new World('back')
    const client = await world.subscriber('client', [main])
    await world.pass(dayMs)
    await world.introducer('introducer')
    await world.node('a', [main])
    await world.pass(10 * 60_000)
    assert.deepEqual(namesOf(client), ['a'])
  })

  it('lives through an introducer that flaps, and holds one connection to it', async () => {
    const world = new World('flap')
    await world.introducer('introducer')
    const client = await world.subscriber('client', [main])
    await world.node('a', [main])
    for (let i = 0; i < 100; i++) {
      await world.pass(world.random.below(20_000))
      if (world.random.chance(0.3)) {
        world.kill('introducer')
        await world.pass(world.random.below(60_000))
        await world.introducer('introducer')
      } else {
        world.network.cut(idOf('client'), idOf('introducer'))
      }
      assert.ok(world.network.connectionCount <= 4)
    }
    await world.pass(10 * 60_000)
    assert.deepEqual(namesOf(client), ['a'])
    assert.equal(client.introducers()[0]?.listening, true)
    assert.equal(world.network.connectionCount, 2)
  })

  it('leaves nothing running when it is closed, whatever it was at', async () => {
    for (const afterMs of [0, 1, 50, 3_000, 30_000]) {
      const world = new World(`close ${afterMs}`)
      await world.introducer('introducer')
      const node = await world.node('a', [main, targetOf('nobody')])
      await world.pass(afterMs)
      await world.run(node.close())
      world.kill('introducer')
      const { eventCount } = world.clock
      await world.clock.run()
      assert.ok(world.clock.eventCount - eventCount < 50, 'something goes on for ever')
    }
  })

  it('waits longer after each failure, at most five minutes, and never in step', () => {
    const random = new SimRandom('retry')
    for (let failures = 0; failures < 100; failures++) {
      const most = Math.min(300_000, 1000 * 2 ** failures)
      const delays = Array.from({ length: 20 }, () => retryMs(failures, random))
      for (const delay of delays) assert.ok(delay >= most / 2 && delay <= most)
      assert.ok(new Set(delays).size > 10)
    }
  })
})

describe('subscriber and a malicious introducer', () => {
  it('server 27: an announcement that lives for ten years is stale after seven days', async () => {
    const world = new World('27')
    const nowMs = world.clock.nowMs()
    const forever = announcementOf('a', { expiresAtMs: nowMs + 3650 * dayMs })
    world.liar('introducer', (cursor) => page(1, true, cursor === 0 ? [forever] : []))
    const client = await world.subscriber('client', [main])
    const stale = (): boolean[] => client.nodes().map((node) => node.stale)
    world.clockOf('client').skewMs = 7 * dayMs - hourMs
    assert.deepEqual(stale(), [false])
    world.clockOf('client').skewMs = 7 * dayMs
    assert.deepEqual(stale(), [true])
  })

  it('server 28: a key is a node, an address is not', async () => {
    const world = new World('28')
    await world.introducer('introducer')
    const address = ['/ip4/203.0.113.7/tcp/7780']
    await world.node('a', [main], address)
    await world.node('b', [main], address)
    const client = await world.subscriber('client', [main])
    await world.pass(5_000)
    assert.deepEqual(namesOf(client), ['a', 'b'])
    world.kill('a')
    await world.node('a', [main], ['/ip4/203.0.113.8/tcp/7780'])
    await world.pass(120_000)
    const found = client.nodes().find(({ id }) => id === idOf('a'))
    assert.deepEqual(found?.addresses, ['/ip4/203.0.113.8/tcp/7780'])
    assert.equal(client.nodes().length, 2)
  })

  it('server 29: an old announcement, replayed, moves no node back', async () => {
    const world = new World('29')
    const old = announced(world, 'a', ['/ip4/203.0.113.1/tcp/1'])
    await world.pass(1000)
    const current = announced(world, 'a', ['/ip4/203.0.113.2/tcp/1'])
    world.liar('introducer', (cursor) => page(cursor + 1, true, [current, old]))
    world.liar('second', (cursor) => page(cursor + 1, true, [old]))
    const client = await world.subscriber('client', [second, main])
    await world.pass(60_000)
    assert.deepEqual(client.nodes()[0]?.addresses, ['/ip4/203.0.113.2/tcp/1'])
  })

  it('server 31: nodes that an introducer leaves out stay known, and it is reported', async () => {
    const world = new World('31')
    await world.introducer('introducer')
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) await world.node(name, [main])
    const client = await world.subscriber('client', [main])
    await world.pass(5_000)
    world.kill('introducer')
    world.liar('introducer', (cursor) => page(1, true, cursor === 0 ? [announced(world, 'a')] : []))
    await world.pass(10 * 60_000)
    assert.deepEqual(namesOf(client), names)
    assert.ok(world.events.includes('introducer.list-shrank'))
    assert.equal(client.introducers()[0]?.missing, 3)
  })

  it('server 31: two introducers that serve different lists are joined', async () => {
    const world = new World('31b')
    world.liar('introducer', () => page(1, true, [announced(world, 'a')]))
    world.liar('second', () => page(1, true, [announced(world, 'b')]))
    const client = await world.subscriber('client', [main, second])
    assert.deepEqual(namesOf(client), ['a', 'b'])
    assert.ok(!world.events.includes('introducer.list-shrank'))
  })

  it('server 32: a flood is cut off and leaves room for what others name', async () => {
    const world = new World('32')
    const flood = Array.from({ length: 350 }, (_, i) => announced(world, `sybil ${i}`))
    world.liar('introducer', (cursor) => {
      const at = cursor % flood.length
      return page(cursor + 100, false, flood.slice(at, at + 100))
    })
    await world.introducer('second')
    for (const name of ['a', 'b']) await world.node(name, [second])
    const client = await world.subscriber('client', [main, second])
    await world.pass(500)
    const known = namesOf(client)
    assert.equal(known.filter((name) => name.startsWith('sybil')).length, 333)
    assert.deepEqual(known.slice(0, 2), ['a', 'b'])
    assert.equal(client.introducers()[0]?.failure?.code, 'E_PROTOCOL')
  })

  it('server 33: private addresses count only where the introducer itself is private', async () => {
    const addresses = [
      '/ip4/127.0.0.1/tcp/22',
      '/ip4/203.0.113.7/tcp/1',
      '/ip4/169.254.169.254/tcp/80',
    ]
    for (const [at, allowPrivateAddresses, usable] of [
      [['/ip4/203.0.113.1/tcp/1'], false, 1],
      [['/dns4/localhost/tcp/1'], false, 1],
      [['/ip4/192.168.1.2/tcp/1', '/ip4/203.0.113.1/tcp/1'], false, 1],
      [[], false, 1],
      [['/ip4/192.168.1.2/tcp/1'], false, 3],
      [['/ip4/127.0.0.1/tcp/1', '/ip6/::1/tcp/1'], false, 3],
      [['/ip4/203.0.113.1/tcp/1'], true, 3],
    ] as const) {
      const world = new World(`33 ${at.join()}`)
      await world.introducer('introducer')
      await world.node('a', [main], addresses)
      const client = await world.subscriber('client', [{ id: main.id, addresses: at }], {
        allowPrivateAddresses,
      })
      await world.pass(5_000)
      assert.equal(client.nodes()[0]?.addresses.length, usable, at.join())
    }
  })

  it('passes over announcements that are forged, damaged or of another grid', async () => {
    const world = new World('forged')
    const good = announced(world, 'a')
    const damaged = { bytes: good.bytes.slice().fill(7, 70, 80) }
    const other = announcementOf('b', { gridName: 'other', expiresAtMs: good.expiresAtMs })
    const list = [damaged, { bytes: new Uint8Array(5000) }, other, good]
    world.liar('introducer', () => page(1, true, list))
    const client = await world.subscriber('client', [main])
    assert.deepEqual(namesOf(client), ['a'])
    assert.ok(world.events.includes('introducer.bad-announcement'))
  })

  const wrong: [string, Lie][] = [
    ['a number', () => 7],
    ['an error text', () => '\x1b[2J'],
    ['too few fields', () => [1, 1]],
    ['a cursor that goes back', () => page(-1, true, [])],
    ['more to come, yet no step on', (cursor) => page(cursor, false, [])],
    ['texts for announcements', () => [1, 1, ['announcement']]],
    ['a third way between complete and not', () => [1, 2, []]],
  ]
  for (const [name, lie] of wrong) {
    it(`gives up, for a while, on an introducer that answers ${name}`, async () => {
      const world = new World(name)
      world.liar('introducer', lie)
      const client = await world.subscriber('client', [main])
      assert.equal(client.introducers()[0]?.failure?.code, 'E_PROTOCOL')
      await world.pass(hourMs)
      assert.ok(world.events.length < 40, `${world.events.length} attempts in an hour`)
      assert.ok(world.network.connectionCount <= 1, 'connections are left open')
    })
  }

  it('gives up in time on an introducer that accepts and never answers', async () => {
    const world = new World('silent')
    const { net } = world.boot('introducer')
    net.handle('/grid/introducer/1', () => new Promise(() => {}))
    const startedMs = world.clock.monotonicMs()
    const client = await world.subscriber('client', [main])
    assert.ok(world.clock.monotonicMs() - startedMs <= 15_000)
    assert.ok(client.introducers()[0]?.failure !== undefined)
  })
})
