import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { channelPair } from '../../src/base/channel.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import { type Announcement, readAnnouncement } from '../../src/introducer/announcement.ts'
import { Introducer, type IntroducerOptions } from '../../src/introducer/introducer.ts'
import {
  formatListRequest,
  formatPublish,
  formatRevoked,
  listVerb,
  maxPageBytes,
  parseListReply,
  publishVerb,
  revokedVerb,
} from '../../src/introducer/protocol.ts'
import { type Caller, openCaller } from '../../src/wire/caller.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { announcementOf, dayMs, gridName, startMs } from './nodes.ts'
import { idOf } from './world.ts'

/** One introducer, and callers that come with the id of whom they like. */
class Desk {
  readonly clock: SimClock = new SimClock(new SimRandom('desk'))
  readonly introducer: Introducer

  private constructor(introducer: Introducer, clock: SimClock) {
    this.introducer = introducer
    this.clock = clock
  }

  static async open(options: Partial<IntroducerOptions> = {}): Promise<Desk> {
    const clock = new SimClock(new SimRandom('desk'))
    const budget = new Budget(2 ** 20)
    const introducer = await Introducer.open({ gridName, clock, budget, ...options })
    return new Desk(introducer, clock)
  }

  async caller(name: string, remoteAddress?: string): Promise<Caller> {
    const [near, far] = channelPair({ ids: [idOf(name), idOf('introducer')] })
    if (remoteAddress !== undefined)
      Object.defineProperty(far, 'remoteAddress', { value: remoteAddress })
    void this.introducer.serve(far)
    return openCaller(near, { clock: this.clock })
  }

  async publish(announcement: Announcement, as: string, address?: string): Promise<void> {
    const caller = await this.caller(as, address)
    await publish(caller, announcement)
    caller.close()
  }
}

async function publish(caller: Caller, { bytes }: { bytes: Uint8Array }): Promise<void> {
  await caller.call(publishVerb, formatPublish(bytes), { deadlineMs: 60_000 })
}

/** Names of all that a `list` from `cursor` on tells, page by page, and the last cursor. */
async function list(caller: Caller, cursor = 0, waitMs = 0) {
  const announcements: Announcement[] = []
  for (let pages = 1; ; pages++) {
    const request = { cursor, waitMs }
    const { facts } = await caller.call(listVerb, formatListRequest(request), {
      deadlineMs: 60_000,
    })
    const reply = parseListReply(facts, request)
    announcements.push(...reply.announcements.map(readAnnouncement))
    cursor = reply.cursor
    if (reply.complete) return { ids: announcements.map(({ nodeId }) => nodeId), cursor, pages }
  }
}

function refusedAs(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isGridError(error, code)
}

describe('introducer', () => {
  it('tells what nodes announced, to anybody', async () => {
    const desk = await Desk.open()
    for (const name of ['a', 'b']) await desk.publish(announcementOf(name), name)
    const caller = await desk.caller('anybody')
    assert.deepEqual((await list(caller)).ids, [idOf('a'), idOf('b')])
  })

  it('tells only what is new since the cursor', async () => {
    const desk = await Desk.open()
    const caller = await desk.caller('client')
    assert.deepEqual(await list(caller), { ids: [], cursor: 0, pages: 1 })
    await desk.publish(announcementOf('a'), 'a')
    const { ids, cursor } = await list(caller)
    assert.deepEqual(ids, [idOf('a')])
    assert.deepEqual((await list(caller, cursor)).ids, [])
    await desk.publish(announcementOf('a', { seq: 2 }), 'a')
    assert.deepEqual((await list(caller, cursor)).ids, [idOf('a')])
  })

  it('refuses a cursor that it has not given out', async () => {
    const desk = await Desk.open()
    await desk.publish(announcementOf('a'), 'a')
    const caller = await desk.caller('client')
    await assert.rejects(list(caller, 2), refusedAs('E_BAD_REQUEST'))
  })

  it('holds a list back until there is news, or the time is up', async () => {
    const desk = await Desk.open()
    const caller = await desk.caller('client')
    let answered = 0
    const waiting = list(caller, 0, 20_000).then(({ ids }) => (answered++, ids))
    await desk.clock.run({ untilMs: 10_000 })
    assert.equal(answered, 0)
    await desk.publish(announcementOf('a'), 'a')
    assert.deepEqual(await waiting, [idOf('a')])

    const inVain = list(caller, 1, 5_000).then(({ ids }) => (answered++, ids))
    await desk.clock.run({ untilMs: 14_999 })
    assert.equal(answered, 1)
    await desk.clock.run({ untilMs: 15_001 })
    assert.deepEqual(await inVain, [])
  })

  it('forgets who waits when the channel ends', async () => {
    const desk = await Desk.open()
    const caller = await desk.caller('client')
    const waiting = list(caller, 0, 20_000)
    await desk.clock.run({ untilMs: 100 })
    caller.close()
    await assert.rejects(waiting, refusedAs('E_CLOSED'))
    const { eventCount } = desk.clock
    await desk.clock.run()
    assert.equal(desk.clock.eventCount, eventCount, 'a timer was left behind')
  })

  it('tells a long list in pages, each within its bound', async () => {
    const desk = await Desk.open({ maxNodesOfAddress: 1000 })
    const names = Array.from({ length: 60 }, (_, i) => `node ${i}`)
    const addresses = new Array<string>(16).fill(`/${'a'.repeat(200)}`)
    for (const name of names) await desk.publish(announcementOf(name, { addresses }), name)
    const { ids, pages } = await list(await desk.caller('client'))
    assert.deepEqual(ids, names.map(idOf))
    const perPage = Math.floor(maxPageBytes / announcementOf('a', { addresses }).bytes.length)
    assert.equal(pages, Math.ceil(60 / perPage))
  })

  it('leaves out what has expired', async () => {
    const desk = await Desk.open()
    await desk.publish(announcementOf('a', { expiresAtMs: startMs + 1000 }), 'a')
    await desk.publish(announcementOf('b'), 'b')
    await desk.clock.run({ untilMs: 1000 })
    assert.deepEqual((await list(await desk.caller('client'))).ids, [idOf('b')])
    assert.equal(desk.introducer.nodeCount, 1)
  })

  it('takes an announcement from the node itself only, so nobody can replay one', async () => {
    const desk = await Desk.open()
    await assert.rejects(desk.publish(announcementOf('a'), 'b'), refusedAs('E_FORBIDDEN'))
    assert.equal(desk.introducer.nodeCount, 0)
  })

  it('refuses an announcement that is forged, old, expired, or for another grid', async () => {
    const desk = await Desk.open()
    await desk.publish(announcementOf('a', { seq: 5 }), 'a')
    const forged = {
      ...announcementOf('a'),
      bytes: announcementOf('a').bytes.slice().fill(1, 0, 9),
    }
    for (const announcement of [
      forged,
      announcementOf('a', { seq: 4 }),
      announcementOf('a', { seq: 6, expiresAtMs: startMs }),
      announcementOf('a', { seq: 6, gridName: 'other' }),
    ]) {
      await assert.rejects(desk.publish(announcement, 'a'), refusedAs('E_ANNOUNCEMENT'))
    }
    assert.equal(desk.introducer.nodeCount, 1)
  })

  it('server 32: takes so many nodes from one address and no more', async () => {
    const desk = await Desk.open({ maxNodesOfAddress: 5 })
    for (let i = 0; i < 5; i++) await desk.publish(announcementOf(`${i}`), `${i}`)
    await assert.rejects(desk.publish(announcementOf('x'), 'x'), refusedAs('E_FULL'))
    await desk.publish(announcementOf('3', { seq: 2 }), '3')
    assert.equal(desk.introducer.nodeCount, 5)
  })

  it('server 32: takes a host with a /64 of IPv6 for one address', async () => {
    const desk = await Desk.open({ maxNodesOfAddress: 2 })
    const come = (name: string, address: string): Promise<void> =>
      desk.publish(announcementOf(name), name, `/ip6/2001:db8:1:${address}/tcp/1`)
    await come('a', '2::1')
    await come('b', '2::2')
    await assert.rejects(come('c', '2:3:4:5:6'), refusedAs('E_FULL'))
    await come('d', '3::1')
    assert.equal(desk.introducer.nodeCount, 3)
  })

  it('refuses who exchanges revocations or lists without a pause, for a time', async () => {
    for (const [verb, args, burst] of [
      [revokedVerb, formatRevoked({ seq: 0, list: new Uint8Array(0) }), 20],
      [listVerb, formatListRequest({ cursor: 0, waitMs: 0 }), 200],
    ] as const) {
      const desk = await Desk.open()
      const caller = await desk.caller('a')
      const ask = () => caller.call(verb, args, { deadlineMs: 60_000 })
      for (let i = 0; i < burst; i++) await ask()
      await assert.rejects(ask(), refusedAs('E_RATE'))
      await desk.clock.run({ untilMs: 1000 })
      await ask()
    }
  })

  it('refuses a node that announces itself again and again, for a time', async () => {
    const desk = await Desk.open()
    const caller = await desk.caller('a')
    for (let seq = 1; seq <= 10; seq++) await publish(caller, announcementOf('a', { seq }))
    await assert.rejects(publish(caller, announcementOf('a', { seq: 11 })), refusedAs('E_RATE'))
    await desk.clock.run({ untilMs: 10_000 })
    await publish(caller, announcementOf('a', { seq: 12 }))
  })

  it('refuses a caller that asks without pause', async () => {
    const desk = await Desk.open()
    const caller = await desk.caller('client')
    const asked = await Promise.allSettled(Array.from({ length: 300 }, () => list(caller)))
    const refused = asked.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 100)
    assert.ok(refused.every((each) => refusedAs('E_RATE')((each as PromiseRejectedResult).reason)))
  })

  const wrong: [verb: string, args: CborValue][] = [
    [publishVerb, 0],
    [publishVerb, []],
    [publishVerb, ['text']],
    [publishVerb, [new Uint8Array(4097)]],
    [publishVerb, [new Uint8Array(64), 0]],
    [listVerb, 'all'],
    [listVerb, [0]],
    [listVerb, [-1, 0]],
    [listVerb, [0, -1]],
    [listVerb, [0, 20_001]],
    [listVerb, ['0', 0]],
    [listVerb, [0, 0, 0]],
  ]
  for (const [verb, args] of wrong) {
    it(`refuses ${verb} of ${shown(args)}`, async () => {
      const desk = await Desk.open()
      const caller = await desk.caller('client')
      const asked = caller.call(verb, args, { deadlineMs: 60_000 })
      await assert.rejects(asked, refusedAs('E_BAD_REQUEST'))
      // and still answers
      assert.deepEqual((await list(caller)).ids, [])
    })
  }

  it('knows no other verb', async () => {
    const caller = await (await Desk.open()).caller('client')
    const asked = caller.call('remove', [idOf('a')], { deadlineMs: 60_000 })
    await assert.rejects(asked, refusedAs('E_UNKNOWN_VERB'))
  })

  it('keeps a node for seven days at most, whatever it says', async () => {
    const desk = await Desk.open()
    await desk.publish(announcementOf('a', { expiresAtMs: startMs + 3650 * dayMs }), 'a')
    await desk.clock.run({ untilMs: 7 * dayMs })
    assert.deepEqual((await list(await desk.caller('client'))).ids, [])
  })
})

function shown(args: CborValue): string {
  return JSON.stringify(args, (_, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} bytes` : value,
  )
}
