/** Caller and answerer, both honest: what a request promises. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { channelPair } from '../../src/base/channel.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import { bodyWindowBytes } from '../../src/wire/body.ts'
import { maxFrameBodyBytes } from '../../src/wire/frame.ts'
import { cuts } from './cuts.ts'
import { settle } from './raw-end.ts'
import { aborted, collect, mib, patterned, stand, verb } from './stand.ts'

const deadlineMs = 60_000

/** A verb that gives its body back. */
const echo = verb(
  async (body) => {
    const bytes = await collect(body)
    return { facts: bytes.length, body: { bytes: bytes.length, pieces: [bytes] } }
  },
  { answerBytes: 32 * mib },
)

async function* slowly(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await settle()
    yield piece
  }
}

describe('wire', () => {
  it('answers a request', async () => {
    const { caller } = await stand({ hi: verb(() => ({ facts: [1, 'two'] })) })
    const answer = await caller.call('hi', [], { deadlineMs })
    assert.deepEqual(answer, { facts: [1, 'two'], body: new Uint8Array(0) })
  })

  it('agrees on a version and suites first, and knows who answers', async () => {
    const { caller } = await stand({})
    assert.deepEqual(await caller.agreement, { version: 1, suites: [1] })
    assert.equal(caller.remoteId, 'server')
  })

  it('answers pipelined requests as they are ready, not in order', async () => {
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const slow = verb(async () => gate.then(() => ({ facts: 'slow' })))
    const { caller } = await stand({ slow, fast: verb(() => ({ facts: 'fast' })) })
    const first = caller.call('slow', [], { deadlineMs })
    assert.equal((await caller.call('fast', [], { deadlineMs })).facts, 'fast')
    open()
    assert.equal((await first).facts, 'slow')
  })

  const sizes = [1, maxFrameBodyBytes, bodyWindowBytes, 3 * mib].flatMap((n) => [n - 1, n, n + 1])
  for (const bytes of sizes) {
    it(`carries a body of ${bytes} bytes both ways`, async () => {
      const { caller, budget } = await stand({ echo })
      const sent = patterned(bytes)
      const answer = await caller.call('echo', [], {
        deadlineMs,
        body: { bytes, pieces: [sent] },
        maxAnswerBytes: bytes,
      })
      assert.equal(answer.facts, bytes)
      assert.ok(equalBytes(answer.body, sent))
      await settle()
      assert.equal(budget.free, budget.total)
    })
  }

  it('carries bodies from sources cut anywhere, at once or slowly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 * mib }),
        fc.infiniteStream(fc.nat(300_000)),
        fc.boolean(),
        async (bytes, pieceSizes, slow) => {
          const { caller } = await stand({ echo })
          const sent = patterned(bytes)
          const pieces = cuts(sent, pieceSizes)
          const body = { bytes, pieces: slow ? slowly(pieces) : pieces }
          const options = { deadlineMs, body, maxAnswerBytes: bytes }
          assert.ok(equalBytes((await caller.call('echo', [], options)).body, sent))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('sends a small request past a long body', async () => {
    const order: string[] = []
    const channels = channelPair({ windowBytes: 64 * 1024 })
    const put = verb(async (body) => {
      let bytes = 0
      for await (const piece of body) {
        bytes += piece.length
        await settle()
      }
      return { facts: bytes }
    })
    const { caller } = await stand({ put, status: verb(() => ({ facts: 0 })) }, { channels })
    const body = { bytes: 16 * mib, pieces: [new Uint8Array(16 * mib)] }
    const long = caller.call('put', [], { deadlineMs, body }).then(() => order.push('put'))
    await settle()
    await caller.call('status', [], { deadlineMs }).then(() => order.push('status'))
    await long
    assert.deepEqual(order, ['status', 'put'])
  })

  it('lets bodies take turns', async () => {
    const taken: number[] = []
    const put = (name: number) =>
      verb(async (body) => {
        for await (const piece of body) taken.push(...Array<number>(piece.length >> 18).fill(name))
        return { facts: 0 }
      })
    const { caller } = await stand({ a: put(1), b: put(2) })
    const call = (name: string): Promise<unknown> =>
      caller.call(name, [], {
        deadlineMs,
        body: { bytes: 2 * mib, pieces: [new Uint8Array(2 * mib)] },
      })
    await Promise.all([call('a'), call('b')])
    assert.equal(taken.length, 16)
    for (let i = 2; i < 14; i++) assert.ok(Math.abs(count(taken.slice(0, i), 1) - i / 2) <= 2)
  })

  it('reads no further ahead in a source than credit and one frame', async () => {
    let read = 0
    function* source(): Generator<Uint8Array> {
      for (; read < 64; read++) yield new Uint8Array(64 * 1024)
    }
    const stuck = verb(async (_body, signal) => aborted(signal))
    const { caller } = await stand({ stuck })
    const call = caller.call('stuck', [], {
      deadlineMs,
      body: { bytes: 4 * mib, pieces: source() },
    })
    for (let i = 0; i < 50; i++) await settle()
    assert.ok(read * 64 * 1024 <= bodyWindowBytes + maxFrameBodyBytes, `${read} pieces were read`)
    caller.close()
    await assert.rejects(call, (error) => isGridError(error, 'E_CLOSED'))
  })

  it('tells progress as the other side takes the body, and all of it at the end', async () => {
    const seen: number[] = []
    const put = verb(async (body) => ({ facts: (await collect(body)).length }))
    const { caller } = await stand({ put })
    const bytes = 3 * mib
    await caller.call('put', [], {
      deadlineMs,
      body: { bytes, pieces: [new Uint8Array(bytes)] },
      onProgress: (soFar) => seen.push(soFar),
    })
    assert.ok(seen.length >= 4)
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    )
    assert.equal(seen.at(-1), bytes)
  })

  it('stops reading a source whose request was answered before its end', async () => {
    let returned = false
    function* source(): Generator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(64 * 1024)
      } finally {
        returned = true
      }
    }
    const had = verb(() => ({ facts: 'had' }))
    const full = verb(() => Promise.reject(new GridError('E_FULL', 'no room')))
    const { caller, budget } = await stand({ had, full })
    const body = (): { bytes: number; pieces: Iterable<Uint8Array> } => ({
      bytes: 16 * mib,
      pieces: source(),
    })
    assert.equal((await caller.call('had', [], { deadlineMs, body: body() })).facts, 'had')
    assert.ok(returned)
    await assert.rejects(caller.call('full', [], { deadlineMs, body: body() }), { code: 'E_FULL' })
    await settle()
    assert.equal(budget.free, budget.total)
  })

  it('rejects with what the source of a body threw, and goes on', async () => {
    const { caller } = await stand({ echo })
    async function* source(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw new GridError('E_FILE', 'the file went away')
    }
    const body = { bytes: 20, pieces: source() }
    await assert.rejects(caller.call('echo', [], { deadlineMs, body }), { code: 'E_FILE' })
    await caller.call('echo', [], { deadlineMs })
  })

  it('takes a source of another length than declared for a mistake', async () => {
    const { caller } = await stand({ echo })
    for (const bytes of [9, 11]) {
      const body = { bytes, pieces: [new Uint8Array(10)] }
      await assert.rejects(caller.call('echo', [], { deadlineMs, body }), RangeError)
    }
    await caller.call('echo', [], { deadlineMs })
  })

  it('ends an answer whose source fails half-way with its error', async () => {
    async function* half(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(mib)
      throw new GridError('E_IO', 'EIO: /var/share')
    }
    const get = verb(() => ({ facts: 0, body: { bytes: 2 * mib, pieces: half() } }))
    const { caller } = await stand({ get, echo })
    await assert.rejects(caller.call('get', [], { deadlineMs, maxAnswerBytes: 2 * mib }), {
      code: 'E_IO',
      message: 'the disk failed',
    })
    await caller.call('echo', [], { deadlineMs })
  })

  it('passes the errors of handlers on, but tells nothing of mistakes in them', async () => {
    const absent = verb(() => Promise.reject(new GridError('E_ABSENT', 'no such share')))
    const broken = verb(() => Promise.reject(new TypeError('secret is undefined')))
    const { caller } = await stand({ absent, broken })
    await assert.rejects(caller.call('absent', [], { deadlineMs }), {
      code: 'E_ABSENT',
      message: 'no such share',
    })
    await assert.rejects(caller.call('broken', [], { deadlineMs }), {
      code: 'E_INTERNAL',
      message: 'internal error',
    })
  })

  it('tells the handler when the caller gives up, and rejects at once', async () => {
    let reason: unknown
    const wait = verb((_body, signal) =>
      aborted(signal).catch((error: unknown) => {
        reason = error
        throw error
      }),
    )
    const { caller, budget } = await stand({ wait, echo })
    const controller = new AbortController()
    const call = caller.call('wait', [], { deadlineMs, signal: controller.signal })
    await settle()
    controller.abort(new Error('enough'))
    await assert.rejects(call, /enough/)
    await settle()
    assert.ok(isGridError(reason, 'E_INTERRUPTED'))
    await caller.call('echo', [], { deadlineMs })
    assert.equal(budget.free, budget.total)
  })

  it('cancels an answer half-way, and goes on', async () => {
    const bytes = 16 * mib
    const get = verb(() => ({ facts: 0, body: { bytes, pieces: [new Uint8Array(bytes)] } }))
    const { caller } = await stand({ get, echo })
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController()
      const call = caller.call('get', [], {
        deadlineMs,
        maxAnswerBytes: bytes,
        signal: controller.signal,
        onProgress: (soFar) => {
          if (soFar > (i * bytes) / 4) controller.abort(new Error('enough'))
        },
      })
      await (i < 4 ? assert.rejects(call, /enough/) : call)
    }
    await caller.call('echo', [], { deadlineMs })
  })

  it('gives a request up at its deadline, on either side', async () => {
    const wait = verb(async (_body, signal) => aborted(signal), { deadlineMs: 2_000 })
    const { caller, clock } = await stand({ wait, echo })
    const near = caller.call('wait', [], { deadlineMs: 1_000 })
    const far = caller.call('wait', [], { deadlineMs: 5_000 })
    const results = Promise.allSettled([near, far])
    await clock.run({ untilMs: 1_000 })
    await assert.rejects(near, { code: 'E_TIMEOUT', message: 'no answer in time' })
    await clock.run({ untilMs: 2_000 })
    await assert.rejects(far, { code: 'E_TIMEOUT', message: 'the request took too long' })
    await results
    await caller.call('echo', [], { deadlineMs })
  })

  it('leaves no timer when nothing is under way', async () => {
    const { caller, clock } = await stand({ echo })
    await caller.call('echo', [], { deadlineMs })
    await settle()
    const before = clock.eventCount
    await clock.run({ untilMs: 10 * 60_000 })
    assert.equal(clock.eventCount, before)
    await caller.call('echo', [], { deadlineMs })
  })

  it('ends everything when it is closed', async () => {
    const { caller, served, budget } = await stand({
      wait: verb(async (_b, signal) => aborted(signal)),
    })
    const call = caller.call('wait', [], { deadlineMs })
    await settle()
    caller.close()
    await assert.rejects(call, { code: 'E_CLOSED' })
    await served
    assert.equal((await caller.ended).code, 'E_CLOSED')
    await assert.rejects(caller.call('wait', [], { deadlineMs }), { code: 'E_CLOSED' })
    assert.equal(budget.free, budget.total)
  })

  it('keeps 16 bodies and 128 requests under way, and the others waiting', async () => {
    for (const [body, limit] of [
      [undefined, 128],
      [{ bytes: 1, pieces: [new Uint8Array(1)] }, 16],
    ] as const) {
      let busy = 0
      let most = 0
      let open: () => void = () => {}
      const gate = new Promise<void>((resolve) => (open = resolve))
      const wait = verb(async () => {
        most = Math.max(most, ++busy)
        await gate
        busy--
        return { facts: 0 }
      })
      const { caller } = await stand({ wait })
      const calls = Array.from({ length: 200 }, () =>
        caller.call('wait', [], body === undefined ? { deadlineMs } : { deadlineMs, body }),
      )
      for (let i = 0; i < 10; i++) await settle()
      assert.equal(most, limit)
      open()
      await Promise.all(calls)
    }
  })

  it('keeps a reader waiting, and turns a writer away, while the bytes in flight are all taken', async () => {
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const get = verb(async () => gate.then(() => ({ facts: 0 })), { answerBytes: mib })
    const put = verb(() => ({ facts: 0 }))
    const { caller, budget } = await stand({ get, put, echo }, { budget: new Budget(mib) })
    const first = caller.call('get', [], { deadlineMs })
    const second = caller.call('get', [], { deadlineMs })
    await settle()
    assert.equal(budget.free, 0)
    const body = { bytes: 10, pieces: [new Uint8Array(10)] }
    await assert.rejects(caller.call('put', [], { deadlineMs, body }), { code: 'E_BUSY' })
    open()
    await Promise.all([first, second])
    await settle()
    await caller.call('put', [], { deadlineMs, body })
  })
})

function count(items: readonly number[], wanted: number): number {
  return items.filter((item) => item === wanted).length
}
