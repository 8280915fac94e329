import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { parseByteRange } from '../../src/cli/byte-range.ts'

describe('byte range', () => {
  it('counts as HTTP does', () => {
    assert.deepEqual(parseByteRange('0-0'), { start: 0, end: 1 })
    assert.deepEqual(parseByteRange('0-499'), { start: 0, end: 500 })
    assert.deepEqual(parseByteRange('500-'), { start: 500 })
    assert.deepEqual(parseByteRange('7-7'), { start: 7, end: 8 })
  })

  it('refuses what is no range', () => {
    const texts = ['', '-', '-5', '5', '5-4', 'a-b', '0-1-2', ' 0-1', '1.5-2', '0x1-2', '+1-2']
    texts.push(`0-${'9'.repeat(16)}`, '0–499')
    for (const text of texts) assert.equal(parseByteRange(text), undefined, text)
  })
})
