import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { plainText } from '../../src/base/plain-text.ts'

describe('plain text', () => {
  it('leaves what is fit alone', () => {
    assert.equal(plainText('no space: naïve café, 木'), 'no space: naïve café, 木')
  })

  it('shows escapes, line ends, marks of direction and invisible characters as dots', () => {
    assert.equal(plainText('a\u001b[31mb\r\nc\u202ed\u200be\u0007\u009bf'), 'a·[31mb··c·d·e··f')
  })

  it('clips to the length given', () => {
    assert.equal(plainText('x'.repeat(200)).length, 200)
    assert.equal(plainText('x'.repeat(1_000_000)), `${'x'.repeat(199)}…`)
  })

  it('gives one printable line of bounded length for anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const plain = plainText(text)
        assert.ok(plain.length <= 200)
        assert.doesNotMatch(plain, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]/u)
      }),
    )
  })
})
