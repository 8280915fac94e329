import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { encodeCbor } from '../../src/base/cbor.ts'
import { isGridError } from '../../src/base/errors.ts'
import { agree, formatHello, parseHello } from '../../src/wire/hello.ts'
import { type Message, formatMessage, parseMessage } from '../../src/wire/message.ts'
import { codeOf, statusOf } from '../../src/wire/status.ts'

const count = fc.maxSafeNat()

function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

const message: fc.Arbitrary<Message> = fc.oneof(
  plain({
    kind: fc.constant('request' as const),
    id: count,
    verb: fc.string({ maxLength: 32, unit: 'grapheme-ascii' }),
    args: fc.array(count),
    bodyBytes: count,
  }),
  plain({
    kind: fc.constant('reply' as const),
    id: count,
    status: count,
    facts: fc.array(count),
    bodyBytes: count,
  }),
  plain({ kind: fc.constant('body' as const), id: count }),
  plain({ kind: fc.constant('credit' as const), id: count, bytes: count }),
  plain({ kind: fc.constant('cancel' as const), id: count }),
)

describe('message', () => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(message, (sent) => assert.deepEqual(parseMessage(formatMessage(sent)), sent)),
    )
  })

  it('has the bytes that the specification shows', () => {
    const request = { kind: 'request', id: 1, verb: 'status', args: [], bodyBytes: 0 } as const
    assert.equal(toHex(formatMessage(request)), '8501016673746174757380' + '00')
  })

  const refused: Record<string, Uint8Array> = {
    'no array': encodeCbor(1),
    'an empty array': encodeCbor([]),
    'an unknown kind': encodeCbor([6, 1]),
    'kind 0': encodeCbor([0, 1]),
    'a negative id': encodeCbor([3, -1]),
    'a text for an id': encodeCbor([3, '1']),
    'a request with an extra field': encodeCbor([1, 1, 'have', [], 0, 0]),
    'a request without its length': encodeCbor([1, 1, 'have', []]),
    'a verb that is no text': encodeCbor([1, 1, 7, [], 0]),
    'a verb of 33 characters': encodeCbor([1, 1, 'v'.repeat(33), [], 0]),
    'a body length of -1': encodeCbor([1, 1, 'have', [], -1]),
    'a reply with a negative status': encodeCbor([2, 1, -1, '', 0]),
    'a body with an extra field': encodeCbor([3, 1, 1]),
    'a credit without an amount': encodeCbor([4, 1]),
    'a negative credit': encodeCbor([4, 1, -5]),
    'a cancel with an extra field': encodeCbor([5, 1, 1]),
    'a map': fromHex('a10102'),
    'an integer that is longer than needed': fromHex('8203' + '1801'),
    'an array of 2^32-1 items': fromHex('9affffffff'),
    'arrays 20 deep': fromHex('81'.repeat(20) + '01'),
    'a key called __proto__': fromHex('a1695f5f70726f746f5f5f01'),
  }
  for (const [name, head] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parseMessage(head),
        (error) => isGridError(error, 'E_PROTOCOL', 'E_CBOR'),
      )
    })
  }
})

describe('hello', () => {
  const ours = { minVersion: 2, maxVersion: 4, suites: [1, 2] }

  it('comes back as it was sent', () => {
    assert.deepEqual(parseHello(formatHello(ours)), ours)
  })

  it('agrees on the highest version and the suites in common', () => {
    const theirs = { minVersion: 1, maxVersion: 3, suites: [3, 2] }
    assert.deepEqual(agree(ours, theirs), { version: 3, suites: [2] })
  })

  it('refuses a side that is too old, too new, or of other suites only', () => {
    for (const theirs of [
      { minVersion: 0, maxVersion: 1, suites: [1] },
      { minVersion: 5, maxVersion: 6, suites: [1] },
      { minVersion: 2, maxVersion: 4, suites: [3] },
      { minVersion: 2, maxVersion: 4, suites: [] },
    ]) {
      assert.throws(
        () => agree(ours, theirs),
        (error) => isGridError(error, 'E_VERSION'),
      )
    }
  })

  it('refuses what is none', () => {
    for (const head of [
      encodeCbor([1, 1]),
      encodeCbor([2, 1, [1]]),
      encodeCbor([-1, 1, [1]]),
      encodeCbor([1, 1, [0]]),
      encodeCbor([1, 1, [256]]),
      encodeCbor([1, 1, 1]),
      encodeCbor([1, 1, Array.from({ length: 17 }, () => 1)]),
      encodeCbor([1, 1, [1], 0]),
    ]) {
      assert.throws(
        () => parseHello(head),
        (error) => isGridError(error, 'E_PROTOCOL'),
      )
    }
  })
})

describe('status', () => {
  it('maps codes to numbers and back', () => {
    for (const code of ['E_ABSENT', 'E_FULL', 'E_BLOCK', 'E_BUSY'] as const) {
      assert.equal(codeOf(statusOf(code)!), code)
    }
  })

  it('has no number for what is nobody else’s business, and no code for an unknown number', () => {
    assert.equal(statusOf('E_PERMISSIONS'), undefined)
    assert.equal(codeOf(9999), 'E_PROTOCOL')
  })

  it('keeps the numbers that were given out', () => {
    const given = { E_INTERNAL: 1, E_BUSY: 7, E_INTERRUPTED: 10, E_ABSENT: 16, E_SIZE: 23 } as const
    for (const [code, status] of Object.entries(given)) assert.equal(codeOf(status), code)
  })
})
