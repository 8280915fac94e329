import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../../src/base/cbor.ts'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import {
  type AppendReply,
  type AppendRequest,
  maxAppendEntries,
  maxChains,
  maxReadBytes,
  minReadBytes,
  type ReadLogReply,
  type ReadLogRequest,
} from '../../src/log/log-peer.ts'
import type { Receipt } from '../../src/log/receipt.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import {
  formatAppend,
  formatLog,
  formatReadLog,
  formatAppended,
  maxAppendBodyBytes,
  parseAppend,
  parseLog,
  parseReadLog,
  parseAppended,
  readAnswerBytes,
} from '../../src/storage/log-messages.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { codeOf } from '../../src/wire/status.ts'
import { TestLog } from '../suites/test-log.ts'
import { RawEnd } from '../wire/raw-end.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
/** With the prototype that a literal has, so that `deepEqual` compares what is in it. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true })
const some = (most: number) => fc.uint8Array({ maxLength: most })
const receipt: fc.Arbitrary<Receipt> = record({
  node: bytes(32),
  receivedMs: fc.maxSafeNat(),
  late: fc.boolean(),
  signature: bytes(64),
})
const signed = { header: some(300), signature: bytes(64) }
const body = fc.option(some(500), { nil: undefined })
const appends: fc.Arbitrary<AppendRequest> = record({
  logId: bytes(32),
  genesis: fc.option(some(3000), { nil: undefined }),
  entries: fc.array(record({ ...signed, body, receipts: fc.array(receipt, { maxLength: 4 }) }), {
    maxLength: 5,
  }),
})
const replies: fc.Arbitrary<ReadLogReply> = record({
  genesis: fc.option(some(3000), { nil: undefined }),
  heads: fc.array(record({ author: bytes(32), seq: fc.integer({ min: 1 }), id: bytes(32) }), {
    maxLength: 4,
  }),
  entries: fc.array(record({ ...signed, body, receipt: fc.option(receipt, { nil: undefined }) }), {
    maxLength: 4,
  }),
  forks: fc.array(record({ held: record(signed), other: record(signed) }), {
    maxLength: 3,
  }),
  complete: fc.boolean(),
})
const seq = fc.integer({ min: 1 })
const reads: fc.Arbitrary<ReadLogRequest> = record({
  logId: bytes(32),
  genesis: fc.boolean(),
  ranges: fc.array(record({ author: bytes(32), firstSeq: seq, lastSeq: fc.maxSafeNat() }), {
    maxLength: 4,
  }),
  others: fc.boolean(),
  bodies: fc.constantFrom('none', 'rules', 'all'),
  receipts: fc.boolean(),
  maxBytes: fc.integer({ min: minReadBytes, max: maxReadBytes }),
})

/** As after a way through a head. */
function sent(value: CborValue): CborValue {
  return decodeCbor(encodeCbor(value), wireLimits)
}

/** Runs `parse`, which may refuse with `code` and with nothing else. */
function total(code: string, parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    assert.ok(isGridError(error) && error.code === code, String(error))
  }
}

describe('messages about logs', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(appends, reads, replies, (append, read, reply) => {
        assert.deepEqual(parseAppend(append.logId, formatAppend(append)), append)
        assert.deepEqual(parseReadLog(sent(formatReadLog(read))), read)
        assert.deepEqual(parseLog(reply.complete ? 1 : 0, formatLog(reply)), reply)
      }),
    )
  })

  it('carry every verdict', () => {
    const taken = {
      node: new Uint8Array(32),
      receivedMs: 5,
      late: true,
      signature: new Uint8Array(64),
    }
    const held = { header: new Uint8Array(9), signature: new Uint8Array(64) }
    const lasts: AppendReply['verdicts'] = [
      { outcome: 'stored', receipt: taken },
      { outcome: 'conflict', held },
      { outcome: 'gap', headSeq: 0 },
      { outcome: 'refused', code: 'E_REVOKED', reason: 'no more' },
    ]
    for (const last of lasts) {
      const reply: AppendReply = {
        adminSeq: 7,
        verdicts: [{ outcome: 'had', receipt: taken }, last],
      }
      assert.deepEqual(parseAppended(sent(formatAppended(reply)), 2), reply)
      assert.throws(() => parseAppended(formatAppended(reply), 1), { code: 'E_PROTOCOL' })
    }
    const gap: AppendReply = { adminSeq: 7, verdicts: [lasts[2], lasts[0]] }
    assert.throws(() => parseAppended(formatAppended(gap), 2), { code: 'E_PROTOCOL' })
    assert.throws(() => parseAppended([7, []], 1), { code: 'E_PROTOCOL' })
    assert.deepEqual(parseAppended([7, []], 0), { adminSeq: 7, verdicts: [] })
    for (const facts of [[], [7], [7, [], 0], [-1, []], ['7', []], [new Uint8Array(1), []]]) {
      assert.throws(() => parseAppended(facts, 0), { code: 'E_PROTOCOL' })
    }
  })

  it('fit into a head at their longest', () => {
    const taken = {
      node: new Uint8Array(32),
      receivedMs: 2 ** 52,
      late: true,
      signature: new Uint8Array(64),
    }
    const verdicts = Array.from({ length: maxAppendEntries }, () => {
      return { outcome: 'had' as const, receipt: taken }
    })
    const reply = { adminSeq: Number.MAX_SAFE_INTEGER, verdicts }
    assert.deepEqual(parseAppended(sent(formatAppended(reply)), 256), reply)
    const ranges = Array.from({ length: maxChains }, () => {
      return { author: new Uint8Array(32), firstSeq: 2 ** 52, lastSeq: 2 ** 52 }
    })
    const [read] = fc.sample(reads, 1)
    assert.equal(parseReadLog(sent(formatReadLog({ ...read, ranges }))).ranges.length, maxChains)
  })

  it('show no escape of a terminal in the reason of a refusal, nor a long one', () => {
    const facts = [0, [[4, 17, `\u001b[2J${'no '.repeat(1000)}`]]]
    const [verdict] = parseAppended(facts, 1).verdicts
    assert.ok(verdict.outcome === 'refused' && verdict.code === 'E_FULL')
    assert.ok(verdict.reason.length <= 200 && !verdict.reason.includes('\u001b'))
  })

  it('are refused in every other form, whatever it is', () => {
    const anything = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        ...[fc.maxSafeInteger(), fc.string(), fc.uint8Array()],
        fc.array(tie('value'), { maxLength: 8 }),
      ),
    })).value
    fc.assert(
      fc.property(anything, fc.uint8Array({ maxLength: 400 }), (value, noise) => {
        total('E_BAD_REQUEST', () => parseReadLog(value))
        total('E_PROTOCOL', () => parseAppended(value, 3))
        total('E_PROTOCOL', () => parseLog(value, noise))
        total('E_PROTOCOL', () => parseLog(1, noise))
        total('E_BAD_REQUEST', () => parseAppend(new Uint8Array(32), noise))
      }),
      { numRuns: 2000 },
    )
  })

  it('are refused when they are cut or spoilt anywhere', () => {
    fc.assert(
      fc.property(appends, replies, fc.nat(), fc.nat(255), (append, reply, at, value) => {
        const request = formatAppend(append)
        const answer = formatLog(reply)
        const cut = (all: Uint8Array) => all.subarray(0, at % all.length)
        assert.throws(() => parseAppend(append.logId, cut(request)), { code: 'E_BAD_REQUEST' })
        assert.throws(() => parseLog(1, cut(answer)), { code: 'E_PROTOCOL' })
        request[at % request.length] = value
        answer[at % answer.length] = value
        total('E_BAD_REQUEST', () => parseAppend(append.logId, request))
        total('E_PROTOCOL', () => parseLog(1, answer))
      }),
      { numRuns: 1000 },
    )
  })

  it('7: cost nothing where they claim 4 billion entries', () => {
    const claim = Uint8Array.of(...[255, 255, 255, 255], ...[0, 0, 0, 0], ...[255, 255, 255, 255])
    assert.throws(() => parseLog(1, claim), { code: 'E_PROTOCOL' })
    const heads = Uint8Array.of(...[255, 255, 255, 255], ...[255, 255])
    assert.throws(() => parseLog(1, heads), { code: 'E_PROTOCOL' })
    const entries = Uint8Array.of(...[255, 255, 255, 255], ...[255, 255])
    assert.throws(() => parseAppend(new Uint8Array(32), entries), { code: 'E_BAD_REQUEST' })
  })
})

describe('RemotePeer, of logs', () => {
  it('takes no answer that is longer than what it asked for', async () => {
    let asked: number | undefined
    const peer = new RemotePeer('server', {
      call: (_verb, _args, options) => {
        asked = options.maxAnswerBytes
        return Promise.resolve({ facts: [1], body: new Uint8Array(0) })
      },
    })
    await assert.rejects(peer.readLog(new TestLog().read()), { code: 'E_PROTOCOL' })
    assert.equal(asked, readAnswerBytes(minReadBytes))
    await assert.rejects(peer.appendEntries(new TestLog().append()), { code: 'E_PROTOCOL' })
  })
})

describe('serveStorage, of logs', () => {
  const log = new TestLog()
  const { logId } = log
  const none = new Uint8Array(0)
  const wrong: Record<string, [verb: string, args: CborValue]> = {
    '14: a log id of 31 bytes': ['readLog', [new Uint8Array(31), none, 0, 0, 0, 0, minReadBytes]],
    '14: a text for a log id': ['readLog', ['../../etc', none, 0, 0, 0, 0, minReadBytes]],
    'half a range': ['readLog', [logId, new Uint8Array(47), 0, 0, 0, 0, minReadBytes]],
    'a range from 0': ['readLog', [logId, new Uint8Array(48), 0, 0, 0, 0, minReadBytes]],
    'a flag of 2': ['readLog', [logId, none, 2, 0, 0, 0, minReadBytes]],
    'a wish for bodies that is none': ['readLog', [logId, none, 0, 0, 3, 0, minReadBytes]],
    '16: an answer of no bytes': ['readLog', [logId, none, 0, 0, 0, 0, 0]],
    '16: an answer of 2^53-1 bytes': ['readLog', [logId, none, 0, 0, 0, 0, 2 ** 53 - 1]],
    '16: a negative answer': ['readLog', [logId, none, 0, 0, 0, 0, -1]],
    '30: an extra argument': ['readLog', [logId, none, 0, 0, 0, 0, minReadBytes, 0]],
    '30: no list of arguments': ['readLog', 0],
    'an append to a log id of 20 bytes': ['appendEntries', [new Uint8Array(20)]],
    'an append with two arguments': ['appendEntries', [logId, logId]],
    'an append without a body': ['appendEntries', [logId]],
  }

  async function server(): Promise<{ client: RawEnd; close: () => Promise<void> }> {
    const clock = new SystemClock()
    const logs = { store: new MemoryLogStore(), seed: new Uint8Array(32).fill(1) }
    const local = new LocalPeer({ id: 's', store: new MemoryStore(), logs, clock, reserveBytes: 0 })
    const [near, far] = channelPair()
    const budget = new Budget(2 ** 27)
    const served = serveStorage(local, far, { clock, budget })
    const client = new RawEnd(near)
    await client.hello()
    return {
      client,
      close: async () => {
        near.abort(new Error('over'))
        await served
        assert.equal(budget.free, budget.total)
      },
    }
  }

  for (const [name, [verb, args]] of Object.entries(wrong)) {
    it(`refuses ${name}`, async () => {
      const { client, close } = await server()
      await client.say([1, 1, verb, args, 0])
      assert.equal(codeOf((await client.reply(1))[2] as number), 'E_BAD_REQUEST')
      await close()
    })
  }

  it('7: refuses an append that is too long from its head alone', async () => {
    const { client, close } = await server()
    await client.say([1, 1, 'appendEntries', [logId], maxAppendBodyBytes + 1])
    assert.equal(codeOf((await client.reply(1))[2] as number), 'E_TOO_LARGE')
    await close()
  })

  it('keeps no logs unless it is told to', async () => {
    const peer = new LocalPeer({ id: 's', store: new MemoryStore(), clock: new SystemClock() })
    await assert.rejects(peer.appendEntries(log.append()), { code: 'E_FORBIDDEN' })
    await assert.rejects(peer.readLog(log.read()), { code: 'E_ABSENT' })
  })
})
