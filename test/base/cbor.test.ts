import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../../src/base/cbor.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'

const value = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 5 }),
  ),
})).value

/** What a decoder must refuse, by RFC 8949 major type or by what would follow from accepting it. */
const refused: Record<string, string> = {
  'nothing at all': '',
  'a cut integer': '18',
  'an integer longer than needed': '1817',
  'an integer in two bytes that fits one': '190017',
  'an integer above 2^53-1': '1b0020000000000000',
  'an integer of -2^53': '3b001fffffffffffff',
  'a cut byte string': '4301',
  'a byte string of 4 GiB': '5affffffff',
  'an array of 2^32-1 items': '9affffffff',
  'an array of 2^53 items': '9b0020000000000000',
  'an indefinite array': '9f01ff',
  'an indefinite byte string': '5f4101ff',
  'a map': 'a10102',
  'an indefinite map': 'bf0102ff',
  'a map with __proto__': 'a1695f5f70726f746f5f5f01',
  'a tag': 'c001',
  'tag 258 (a set)': 'd9010281 01'.replace(' ', ''),
  'a float': 'fb3ff0000000000000',
  'a half float': 'f93c00',
  true: 'f5',
  null: 'f6',
  undefined: 'f7',
  'bad UTF-8': '62c328',
  'a surrogate in UTF-8': '63eda080',
  'bytes behind the value': '0101',
  'a million levels': '81'.repeat(60_000),
  'a million items': `9a000ea600${'00'.repeat(60_000)}`,
}

describe('cbor', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(value, (input) => {
        assert.deepEqual(plain(decodeCbor(encodeCbor(input), wireLimits)), plain(input))
      }),
    )
  })

  it('is total on garbage: a value whose encoding is the input, or E_CBOR', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          assert.equal(toHex(encodeCbor(decodeCbor(bytes, wireLimits))), toHex(bytes))
        } catch (error) {
          if (!isGridError(error, 'E_CBOR')) throw error
        }
      }),
      { numRuns: 2000 },
    )
  })

  for (const [name, hex] of Object.entries(refused)) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => decodeCbor(fromHex(hex), wireLimits),
        (error) => isGridError(error, 'E_CBOR'),
      )
    })
  }

  it('writes the shortest form at every width', () => {
    const expected: [number, string][] = [
      [23, '17'],
      [24, '1818'],
      [255, '18ff'],
      [256, '190100'],
      [65_536, '1a00010000'],
      [2 ** 32 - 1, '1affffffff'],
      [2 ** 32, '1b0000000100000000'],
      [-(2 ** 31) - 1, '3a80000000'],
      [-(2 ** 32) - 1, '3b0000000100000000'],
    ]
    for (const [number, hex] of expected) assert.equal(toHex(encodeCbor(number)), hex)
  })

  it('gives byte strings that are the caller’s own, whatever they were read from', () => {
    const input = Buffer.from('8242010242ffff', 'hex')
    const decoded = decodeCbor(input, wireLimits)
    input.fill(0)
    assert.deepEqual(decoded, [Uint8Array.of(1, 2), Uint8Array.of(255, 255)])
  })

  it('keeps a byte order mark, and texts of every width', () => {
    for (const text of ['\ufeffa', '\u0000', 'ö', '漢', '😀', 'x'.repeat(300)])
      assert.equal(decodeCbor(encodeCbor(text), wireLimits), text)
  })

  it('takes each integer in its shortest form only', () => {
    for (const hex of [
      '1800',
      '19 00ff',
      '1a 0000ffff',
      '1b 00000000ffffffff',
      '3817',
      '5803616263',
    ])
      assert.throws(
        () => decodeCbor(fromHex(hex.replace(' ', '')), wireLimits),
        (error) => isGridError(error, 'E_CBOR'),
      )
  })

  it('refuses to encode what has no exact form', () => {
    assert.throws(() => encodeCbor(1.5), RangeError)
    assert.throws(() => encodeCbor(2 ** 53), RangeError)
  })
})

function plain(input: CborValue): unknown {
  if (input instanceof Uint8Array) return { bytes: toHex(input) }
  if (typeof input === 'object') return input.map(plain)
  return Object.is(input, -0) ? 0 : input
}
