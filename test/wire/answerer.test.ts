/** What an answerer bears of the side that asks. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { CborValue } from '../../src/base/cbor.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { channelPair } from '../../src/base/channel.ts'
import { GridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import { type Verb, answer } from '../../src/wire/answerer.ts'
import { openCaller } from '../../src/wire/caller.ts'
import { statusOf } from '../../src/wire/status.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { RawEnd, settle } from './raw-end.ts'
import { aborted, collect, mib, patterned, verb, verbsOf } from './stand.ts'

interface Siege {
  client: RawEnd
  clock: SimClock
  budget: Budget
  served: Promise<void>
}

const hi = verb(() => ({ facts: 'hi' }))

function siege(verbs: Record<string, Verb<unknown>>, totalBytes = 128 * mib): Siege {
  const clock = new SimClock(new SimRandom('answerer'))
  const budget = new Budget(totalBytes)
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const served = answer(far, verbsOf(verbs), { clock, budget })
  return { client: new RawEnd(near), clock, budget, served }
}

/** As `siege`, after the hello. */
async function admitted(verbs: Record<string, Verb<unknown>>, totalBytes?: number): Promise<Siege> {
  const all = siege(verbs, totalBytes)
  await all.client.hello()
  return all
}

/** Awaits the refusal of the whole channel, with its code, and its end. */
async function refusedAll(
  { client, clock, served }: Siege,
  code: 'E_PROTOCOL' | 'E_CBOR' | 'E_TOO_LARGE' | 'E_VERSION',
): Promise<void> {
  const [, , status] = await client.reply(0)
  assert.equal(status, statusOf(code))
  await client.ended
  await clock.run({ untilMs: clock.monotonicMs() + 1000 })
  await served
}

describe('answerer', () => {
  it('client 4: ends a channel on which nothing is said for 10 s', async () => {
    const { client, clock, served } = siege({ hi })
    await clock.run({ untilMs: 9_999 })
    await client.channel.send([])
    await clock.run({ untilMs: 10_000 })
    await client.ended
    await served
  })

  it('client 4: leaves an idle channel alone after the hello', async () => {
    const { client, clock } = await admitted({ hi })
    await clock.run({ untilMs: 24 * 3_600_000 })
    await client.say([1, 1, 'hi', [], 0])
    assert.deepEqual(await client.reply(1), [2, 1, 0, 'hi', 0])
  })

  it('client 4: gives a request up in which nothing moves for 30 s, and its bytes back', async () => {
    const put = verb(async (body) => ({ facts: (await collect(body)).length }))
    const { client, clock, budget } = await admitted({ put })
    await client.say([1, 1, 'put', [], mib])
    await client.say([3, 1], new Uint8Array(1000))
    await settle()
    assert.equal(budget.free, budget.total - mib)
    await clock.run({ untilMs: 29_999 })
    assert.equal(budget.free, budget.total - mib)
    await clock.run({ untilMs: 30_000 })
    const [, , status] = await client.reply(1)
    assert.equal(status, statusOf('E_TIMEOUT'))
    assert.equal(budget.free, budget.total)
  })

  it('client 4: gives a request up at its deadline, however it drips', async () => {
    const put = verb(async (body) => ({ facts: (await collect(body)).length }), {
      deadlineMs: 120_000,
    })
    const { client, clock, budget } = await admitted({ put })
    await client.say([1, 1, 'put', [], mib])
    for (let ms = 0; ms < 120_000; ms += 20_000) {
      await client.say([3, 1], new Uint8Array(1))
      await clock.run({ untilMs: ms + 20_000 })
    }
    const [, , status] = await client.reply(1)
    assert.equal(status, statusOf('E_TIMEOUT'))
    assert.equal(budget.free, budget.total)
  })

  it('client 7: refuses an oversized frame from the length alone', async () => {
    const all = await admitted({ hi })
    await all.client.channel.send([fromHex('ffffffff0001')])
    await refusedAll(all, 'E_TOO_LARGE')
  })

  it('client 7: refuses an oversized body from the head of its request, and goes on', async () => {
    const { client, budget } = await admitted({ hi })
    for (const [id, bytes] of [
      [1, 32 * mib + 1],
      [2, Number.MAX_SAFE_INTEGER],
    ]) {
      await client.say([1, id, 'hi', [], bytes])
      await client.say([3, id], new Uint8Array(1000))
      const [, , status] = await client.reply(id)
      assert.equal(status, statusOf('E_TOO_LARGE'))
    }
    assert.equal(budget.free, budget.total)
    await client.say([1, 3, 'hi', [], 0])
    await client.reply(3)
  })

  for (const [name, hex] of Object.entries({
    'arrays 1,000 deep': '81'.repeat(1000) + '00',
    'an array of 2^32-1 items': '9affffffff',
    'a byte string of 4 GiB': '5affffffff',
    'a map with __proto__': 'a1695f5f70726f746f5f5f01',
    'an indefinite array': '9f01ff',
  })) {
    it(`client 8: refuses ${name}`, async () => {
      const all = await admitted({ hi })
      const head = fromHex(hex)
      const lead = new Uint8Array(6)
      new DataView(lead.buffer).setUint32(0, head.length + 2)
      new DataView(lead.buffer).setUint16(4, head.length)
      await all.client.channel.send([lead, head])
      await refusedAll(all, 'E_CBOR')
    })
  }

  it('client 9: takes 16 requests with bodies and 128 in all at once, and refuses the next', async () => {
    for (const [bodyBytes, limit] of [
      [1, 16],
      [0, 128],
    ]) {
      const wait = verb(async (_body, signal) => aborted(signal))
      const { client } = await admitted({ wait })
      for (let id = 1; id <= limit + 1; id++) await client.say([1, id, 'wait', [], bodyBytes])
      const [, , status] = await client.reply(limit + 1)
      assert.equal(status, statusOf('E_BUSY'))
      assert.equal(client.heard.length, 2)
    }
  })

  it('client 9: takes no more bodies than there are bytes for', async () => {
    const wait = verb(async (_body, signal) => aborted(signal))
    const { client, budget } = await admitted({ wait }, 3 * mib)
    for (let id = 1; id <= 4; id++) await client.say([1, id, 'wait', [], 17 * mib])
    const [, , status] = await client.reply(4)
    assert.equal(status, statusOf('E_BUSY'))
    assert.equal(budget.free, 0)
    assert.equal(client.heard.length, 2)
  })

  it('client 9: holds no more of a body that its handler does not read than its credit', async () => {
    const all = await admitted({ wait: verb(async (_body, signal) => aborted(signal)) })
    await all.client.say([1, 1, 'wait', [], 17 * mib])
    for (let i = 0; i < 4; i++) await all.client.say([3, 1], new Uint8Array(mib / 4))
    await settle()
    assert.equal(all.client.heard.length, 1)
    await all.client.say([3, 1], new Uint8Array(1))
    await refusedAll(all, 'E_PROTOCOL')
  })

  it('client 11: refuses a body that goes past its declared length', async () => {
    const put = verb(async (body) => ({ facts: (await collect(body)).length }))
    const all = await admitted({ put })
    await all.client.say([1, 1, 'put', [], 10])
    await all.client.say([3, 1], new Uint8Array(11))
    await refusedAll(all, 'E_PROTOCOL')
  })

  it('client 15, 16: hands no arguments to a handler that its check refuses', async () => {
    let handled = 0
    const get: Verb<number> = {
      deadlineMs: 1000,
      parse: (args) => {
        if (typeof args === 'number' && args >= 0 && args < 256) return args
        throw new GridError('E_BAD_REQUEST', 'a number of 0 to 255')
      },
      handle: (number) => {
        handled++
        return Promise.resolve({ facts: number })
      },
    }
    const { client } = await admitted({ get })
    const wrong: CborValue[] = [-1, 256, 2 ** 31, '1', [], [1, 1]]
    for (const [i, args] of wrong.entries()) {
      await client.say([1, i + 1, 'get', args, 0])
      const [, , status] = await client.reply(i + 1)
      assert.equal(status, statusOf('E_BAD_REQUEST'))
    }
    assert.equal(handled, 0)
    await client.say([1, 100, 'get', 255, 0])
    assert.deepEqual(await client.reply(100), [2, 100, 0, 255, 0])
  })

  it('client 27: holds the bytes of an answer that is not read, then gives it up', async () => {
    let reading = 0
    const bytes = 16 * mib
    const get = verb(
      () => {
        reading++
        return { facts: 0, body: { bytes, pieces: [patterned(bytes)] } }
      },
      { answerBytes: bytes },
    )
    const { client, clock, budget } = await admitted({ get })
    for (let id = 1; id <= 20; id++) await client.say([1, id, 'get', [], 0])
    await settle()
    assert.equal(reading, 8)
    assert.equal(budget.free, 0)
    const heardBytes = (): number => client.heard.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0)
    assert.equal(heardBytes(), 8 * mib)
    await clock.run({ untilMs: 30_000 })
    const [, , status] = await client.hear(([kind, , code]) => kind === 2 && code !== 0)
    assert.equal(status, statusOf('E_TIMEOUT'))
    await clock.run({ untilMs: 120_000 })
    assert.equal(budget.free, budget.total)
  })

  it('client 27: ends a channel whose other side reads nothing at all', async () => {
    const clock = new SimClock(new SimRandom('answerer'))
    const budget = new Budget(128 * mib)
    const [near, far] = channelPair()
    const get = verb(() => ({ facts: 0, body: { bytes: mib, pieces: [new Uint8Array(mib)] } }))
    const served = answer(far, verbsOf({ get }), { clock, budget })
    // a RawEnd would read; this one only writes
    const deaf = new RawEnd({ ...channelPair()[0], send: (pieces) => near.send(pieces) })
    await deaf.hello()
    for (let id = 1; id <= 2000; id++) void deaf.say([1, id, 'get', [], 0]).catch(() => {})
    await clock.run({ untilMs: 30_000 })
    await served
    assert.equal(budget.free, budget.total)
  })

  it('client 30: refuses an unknown verb, and goes on', async () => {
    const { client } = await admitted({ hi })
    for (const [i, name] of ['', 'HI', 'hi ', '__proto__', 'constructor', 'toString'].entries()) {
      await client.say([1, i + 1, name, [], 0])
      const [, , status] = await client.reply(i + 1)
      assert.equal(status, statusOf('E_UNKNOWN_VERB'))
    }
    await client.say([1, 9, 'hi', [], 0])
    await client.reply(9)
  })

  it('client 30: refuses a version it does not speak, and says so', async () => {
    const all = siege({ hi })
    await all.client.say([2, 3, [1]])
    await refusedAll(all, 'E_VERSION')
    assert.match(
      String((await all.client.reply(0))[3]),
      /we speak version 1, they speak versions 2 to 3/,
    )
  })

  const breaches: Record<string, CborValue[][]> = {
    'an extra field in a request': [[1, 1, 'hi', [], 0, 0]],
    'an unknown kind of message': [[9, 1]],
    'a second hello': [[1, 1, [1]]],
    'an id that comes twice': [
      [1, 1, 'hi', [], 0],
      [1, 1, 'hi', [], 0],
    ],
    'an id that goes back': [
      [1, 5, 'hi', [], 0],
      [1, 4, 'hi', [], 0],
    ],
    'the id 0': [[1, 0, 'hi', [], 0]],
    'a reply': [[2, 1, 0, 0, 0]],
  }
  for (const [name, heads] of Object.entries(breaches)) {
    it(`client 30: refuses ${name}, and ends the channel`, async () => {
      const all = await admitted({ hi })
      for (const head of heads) await all.client.say(head)
      await refusedAll(all, 'E_PROTOCOL')
    })
  }

  it('client 30: refuses a body on a request, a body for no request, and an empty body', async () => {
    for (const [head, bytes] of [
      [[1, 1, 'hi', [], 5], 5],
      [[3, 1], 5],
      [[3, 1], 0],
    ] as const) {
      const all = await admitted({ hi })
      await all.client.say(head, new Uint8Array(bytes))
      await refusedAll(all, 'E_PROTOCOL')
    }
  })

  it('passes over cancel, credit and body for what has ended', async () => {
    const { client } = await admitted({ hi })
    await client.say([1, 1, 'hi', [], mib])
    await client.reply(1)
    await client.say([5, 1])
    await client.say([4, 1, 1000])
    await client.say([3, 1], new Uint8Array(1000))
    await client.say([1, 2, 'hi', [], 0])
    await client.reply(2)
  })

  it('answers a cancelled request once', async () => {
    const { client } = await admitted({ wait: verb(async (_body, signal) => aborted(signal)), hi })
    await client.say([1, 1, 'wait', [], 0])
    await client.say([5, 1])
    await client.say([5, 1])
    await client.say([1, 2, 'hi', [], 0])
    await client.reply(2)
    const replies = client.heard.filter(({ head }) => (head as CborValue[])[1] === 1)
    assert.deepEqual(
      replies.slice(1).map(({ head }) => (head as CborValue[])[2]),
      [statusOf('E_INTERRUPTED')],
    )
  })

  it('refuses or answers any garbage, keeps nothing of it, and serves the next client', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (garbage, framed) => {
          const { client, clock, budget, served } = await admitted({ hi })
          for (const bytes of garbage) {
            const lead = Uint8Array.of(0, 0, 0, bytes.length + 2, 0, bytes.length)
            await client.channel.send(framed ? [lead, bytes] : [bytes]).catch(() => {})
          }
          await client.channel.close()
          await clock.run({ untilMs: 60_000 })
          await served
          assert.equal(budget.free, budget.total)
        },
      ),
    )
    const [near, far] = channelPair()
    const clock = new SimClock(new SimRandom('answerer'))
    void answer(far, verbsOf({ hi }), { clock, budget: new Budget(1) })
    const caller = await openCaller(near, { clock })
    assert.equal((await caller.call('hi', [], { deadlineMs: 1000 })).facts, 'hi')
  })
})
