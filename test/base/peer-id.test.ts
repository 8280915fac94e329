import assert from 'node:assert/strict'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { peerIdOf, publicKeyOf } from '../../src/base/peer-id.ts'

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('peer id', () => {
  it('is what libp2p calls the same key', () => {
    fc.assert(
      fc.property(key, (bytes) => {
        assert.equal(peerIdOf(bytes), peerIdFromPublicKey(publicKeyFromRaw(bytes)).toString())
      }),
    )
  })

  it('gives the key back', () => {
    fc.assert(
      fc.property(key, (bytes) => {
        assert.ok(equalBytes(publicKeyOf(peerIdOf(bytes))!, bytes))
      }),
    )
    for (const bytes of [new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      assert.deepEqual(publicKeyOf(peerIdOf(bytes)), bytes)
    }
  })

  it('refuses a key of another length', () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => peerIdOf(new Uint8Array(length)), RangeError)
    }
  })

  it('reads no other text as an id', () => {
    const id = peerIdOf(new Uint8Array(32).fill(7))
    const wrong = ['', id.slice(1), `${id}1`, `1${id.slice(0, -1)}`, id.replace('1', '0')]
    wrong.push(`2${id.slice(1)}`, 'z'.repeat(52), 'Qm'.padEnd(46, 'a'), `12D3KooX${id.slice(8)}`)
    for (const text of wrong) assert.equal(publicKeyOf(text), undefined, text)
  })

  it('reads nothing else that is 52 letters long', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 52, maxLength: 52 }), (text) => {
        assert.equal(publicKeyOf(text), undefined)
      }),
    )
  })
})
