import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { formatByteSize, parseByteSize } from '../../src/base/byte-size.ts'

describe('byte size', () => {
  it('reads binary and decimal units', () => {
    const sizes: [string, number][] = [
      ...([
        ['0', 0],
        ['1048576', 1048576],
        ['1B', 1],
        ['1KiB', 1024],
      ] as [string, number][]),
      ...([
        ['1kB', 1000],
        ['10 GiB', 10 * 2 ** 30],
        ['1.5tb', 1.5e12],
      ] as [string, number][]),
    ]
    for (const [text, bytes] of sizes) assert.equal(parseByteSize(text), bytes, text)
  })

  it('refuses what is no size', () => {
    const texts = [
      '',
      ' ',
      'GiB',
      '10GB!',
      '-1',
      '1e9',
      '1.GiB',
      '.5GiB',
      '10  GiB',
      '10XiB',
      '0x10',
    ]
    texts.push('9007199254740993', '9000000PiB', '1'.repeat(400), 'NaN', '1,5GiB', ' 1')
    for (const text of texts) assert.equal(parseByteSize(text), undefined, text)
  })

  it('writes three digits', () => {
    const written: [number, string][] = [
      ...([
        [0, '0 B'],
        [1, '1 B'],
        [1023, '1023 B'],
        [1024, '1.00 KiB'],
      ] as [number, string][]),
      ...([
        [10_234, '9.99 KiB'],
        [10_236, '10.0 KiB'],
        [102_348, '99.9 KiB'],
      ] as [number, string][]),
      ...([
        [102_400, '100 KiB'],
        [1_048_063, '1023 KiB'],
        [1_048_064, '1.00 MiB'],
      ] as [number, string][]),
      [Number.MAX_SAFE_INTEGER, '8.00 PiB'],
    ]
    for (const [bytes, text] of written) assert.equal(formatByteSize(bytes), text)
  })

  it('writes what it reads, to half a percent', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 52 }), (bytes) => {
        const read = parseByteSize(formatByteSize(bytes))!
        assert.ok(Math.abs(read - bytes) <= bytes * 0.005, `${bytes} → ${read}`)
      }),
    )
  })
})
