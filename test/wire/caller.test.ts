/** What a caller bears of the side that should answer. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { fromHex } from '../../src/base/bytes.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { type Caller, openCaller } from '../../src/wire/caller.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { RawEnd, settle } from './raw-end.ts'
import { mib } from './stand.ts'

const deadlineMs = 60_000

interface Trap {
  caller: Caller
  server: RawEnd
  clock: SimClock
}

/** A caller whose other side does what the test says. */
async function trap(): Promise<Trap> {
  const clock = new SimClock(new SimRandom('caller'))
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const server = new RawEnd(far)
  await server.hello()
  return { caller: await openCaller(near, { clock }), server, clock }
}

async function refused(promise: Promise<unknown>, code: ErrorCode, text = /./): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isGridError(error, code), String(error))
    assert.match(error.message, text)
    return true
  })
}

describe('caller', () => {
  it('server 17: ends at its deadline with a side that drips', async () => {
    const { caller, server, clock } = await trap()
    const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: 100 })
    const result = refused(call, 'E_TIMEOUT')
    await server.say([2, 1, 0, 0, 100])
    for (let ms = 0; ms < deadlineMs; ms += 10_000) {
      await server.say([3, 1], new Uint8Array(1))
      await clock.run({ untilMs: ms + 10_000 })
    }
    await result
    await server.hear(([kind]) => kind === 5)
  })

  it('server 18: ends after 30 s with a side that never answers, and gives the channel up after 30 more', async () => {
    const { caller, server, clock } = await trap()
    const result = refused(caller.call('get', [], { deadlineMs }), 'E_TIMEOUT')
    await clock.run({ untilMs: 29_999 })
    assert.equal(server.heard.length, 2)
    await clock.run({ untilMs: 30_000 })
    await result
    await clock.run({ untilMs: 61_000 })
    assert.equal((await caller.ended).code, 'E_TIMEOUT')
    await server.ended
  })

  it('server 18: ends after 10 s with a side that does not even say hello', async () => {
    const clock = new SimClock(new SimRandom('caller'))
    const [near] = channelPair()
    const result = refused(openCaller(near, { clock }), 'E_TIMEOUT', /hello/)
    await clock.run({ untilMs: 10_000 })
    await result
  })

  it('server 19: uses nothing of an answer that was cut', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: 100 })
    await server.say([2, 1, 0, 0, 100])
    await server.say([3, 1], new Uint8Array(99))
    await server.channel.close()
    await refused(call, 'E_CLOSED')
  })

  it('server 19: says so when the channel ends inside a frame', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs })
    await server.channel.send([fromHex('000000')])
    await server.channel.close()
    await refused(call, 'E_PROTOCOL', /inside a frame/)
  })

  it('server 20: holds little of a body that is not taken, and ends after 30 s', async () => {
    const clock = new SimClock(new SimRandom('caller'))
    let greet: () => void = () => {}
    const ended = new Promise<void>((resolve) => (greet = resolve))
    let taken = 0
    const silent: Channel = {
      remoteId: 'server',
      remoteAddress: undefined,
      send: (pieces) => {
        for (const piece of pieces) taken += piece.length
        return taken < 1000 ? Promise.resolve() : ended
      },
      source: (async function* () {
        yield fromHex('000000070005' + '83010181' + '01')
        await ended
      })(),
      close: () => Promise.resolve(),
      abort: () => greet(),
    }
    const caller = await openCaller(silent, { clock })
    const body = { bytes: 16 * mib, pieces: [new Uint8Array(16 * mib)] }
    const result = refused(caller.call('put', [], { deadlineMs, body }), 'E_TIMEOUT')
    await clock.run({ untilMs: 29_999 })
    assert.ok(taken < mib)
    await clock.run({ untilMs: 30_000 })
    await result
  })

  it('server 21: closes at a frame of 4 GiB, from its length alone', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs })
    await server.channel.send([fromHex('ffffffff0001')])
    await refused(call, 'E_TOO_LARGE')
    await server.ended
  })

  it('server 21: closes at an answer that is longer than asked for, before making room for it', async () => {
    for (const bytes of [101, Number.MAX_SAFE_INTEGER]) {
      const { caller, server } = await trap()
      const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: 100 })
      await server.say([2, 1, 0, 0, bytes])
      await refused(call, 'E_PROTOCOL', /not asked for/)
    }
  })

  it('server 21: closes at more bytes of a body than were announced', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: mib })
    await server.say([2, 1, 0, 0, 100])
    await server.say([3, 1], new Uint8Array(101))
    await refused(call, 'E_PROTOCOL', /beyond its length/)
  })

  it('server 21: closes at more bytes of a body than were allowed', async () => {
    const { caller, server } = await trap()
    const controller = new AbortController()
    const { signal } = controller
    const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: 2 * mib, signal })
    await settle()
    controller.abort(new Error('enough'))
    await assert.rejects(call, /enough/)
    await server.say([2, 1, 0, 0, 2 * mib])
    // what was given up is granted no more than the first mebibyte
    for (let i = 0; i < 4; i++) await server.say([3, 1], new Uint8Array(mib / 4))
    await server.say([3, 1], new Uint8Array(1))
    assert.equal((await caller.ended).code, 'E_PROTOCOL')
  })

  const bombs: Record<string, string> = {
    'arrays 1,000 deep': '81'.repeat(1000) + '00',
    'an array of 2^32-1 items': '9affffffff',
    'a map': 'a10102',
    'a map with __proto__': 'a1695f5f70726f746f5f5f01',
    'an indefinite array': '9f01ff',
    'an integer longer than needed': '820218' + '01',
    'a tag': 'c001',
  }
  for (const [name, hex] of Object.entries(bombs)) {
    it(`server 22: refuses ${name}`, async () => {
      const { caller, server } = await trap()
      const call = caller.call('get', [], { deadlineMs })
      const head = fromHex(hex)
      const lead = new Uint8Array(6)
      new DataView(lead.buffer).setUint32(0, head.length + 2)
      new DataView(lead.buffer).setUint16(4, head.length)
      await server.channel.send([lead, head])
      await refused(call, 'E_CBOR')
      assert.equal(({} as Record<string, unknown>).polluted, undefined)
    })
  }

  it('server 23: drops replies that nobody asked for, and ends the channel at the third', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs })
    await server.say([2, 77, 0, 'unsolicited', 0])
    await server.say([3, 78], new Uint8Array(10))
    await settle()
    await server.say([2, 1, 0, 'wanted', 0])
    assert.equal((await call).facts, 'wanted')
    await server.say([2, 1, 0, 'twice', 0])
    assert.equal((await caller.ended).code, 'E_PROTOCOL')
    await server.ended
  })

  it('server 23: does not mind the reply to a request that was given up', async () => {
    const { caller, server } = await trap()
    for (let id = 1; id <= 5; id++) {
      const controller = new AbortController()
      const call = caller.call('get', [], {
        deadlineMs,
        maxAnswerBytes: 10,
        signal: controller.signal,
      })
      await settle()
      controller.abort(new Error('enough'))
      await assert.rejects(call, /enough/)
      await server.say([2, id, 0, 'late', 10])
      await server.say([3, id], new Uint8Array(10))
    }
    await settle()
    const call = caller.call('get', [], { deadlineMs })
    await server.say([2, 6, 0, 'still here', 0])
    assert.equal((await call).facts, 'still here')
  })

  it('server 24: shows the text of an error on one clean line of at most 200 characters', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs })
    await server.say([2, 1, 16, `\u001b]0;owned\u0007\r\n\u202e${'x'.repeat(60_000)}`, 0])
    await assert.rejects(call, (error) => {
      assert.ok(isGridError(error, 'E_ABSENT'))
      assert.equal(error.message.length, 200)
      assert.match(error.message, /^·\]0;owned····x+…$/)
      return true
    })
  })

  it('server 24: takes an error whose text is none, and a status it does not know', async () => {
    const { caller, server } = await trap()
    const calls = [1, 2].map(() => caller.call('get', [], { deadlineMs }))
    await server.say([2, 1, 16, [1, [2]], 0])
    await server.say([2, 2, 4711, 'new', 0])
    await refused(calls[0], 'E_ABSENT', /status 16/)
    await refused(calls[1], 'E_PROTOCOL', /new/)
  })

  it('server 34: refuses a side that speaks only versions below or above ours, and says so', async () => {
    for (const hello of [
      [0, 0, [1]],
      [2, 9, [1]],
      [1, 1, [99]],
    ]) {
      const clock = new SimClock(new SimRandom('caller'))
      const [near, far] = channelPair()
      const server = new RawEnd(far)
      await server.say(hello)
      await refused(openCaller(near, { clock }), 'E_VERSION', /speak|suite/)
      await server.ended
    }
  })

  it('gives the reason for which a channel was refused', async () => {
    const { caller, server } = await trap()
    const call = caller.call('get', [], { deadlineMs })
    await server.say([2, 0, 7, 'come back later', 0])
    await refused(call, 'E_BUSY', /come back later/)
  })

  it('refuses to be asked, and credit for what was not sent', async () => {
    for (const head of [
      [1, 1, 'have', [], 0],
      [5, 1],
    ]) {
      const { caller, server } = await trap()
      await server.say(head)
      assert.equal((await caller.ended).code, 'E_PROTOCOL')
    }
    const { caller, server } = await trap()
    const never = (async function* (): AsyncGenerator<Uint8Array> {
      await new Promise(() => {})
      yield new Uint8Array(1)
    })()
    const call = caller.call('put', [], { deadlineMs, body: { bytes: 1, pieces: never } })
    await server.say([4, 1, 1])
    await refused(call, 'E_PROTOCOL')
  })

  it('ends with a definite error for any garbage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (garbage, framed) => {
          const { caller, server } = await trap()
          const call = caller.call('get', [], { deadlineMs, maxAnswerBytes: 10 })
          const result = call.catch((error: unknown) =>
            assert.ok(isGridError(error), String(error)),
          )
          for (const bytes of garbage) {
            const lead = fromHex(`000000${(bytes.length + 2).toString(16).padStart(2, '0')}00`)
            const length = Uint8Array.of(bytes.length)
            await server.channel.send(framed ? [lead, length, bytes] : [bytes]).catch(() => {})
          }
          await server.channel.close()
          await result
        },
      ),
    )
  })
})
