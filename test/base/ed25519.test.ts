import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat, fromHex } from '../../src/base/bytes.ts'
import { publicKeyOfSeed, signMessage, verifySignature } from '../../src/base/ed25519.ts'

interface Vector {
  id: string
  in: { publicKey: string; message: string; signature: string }
  /** `lax`: what a verifier without this project's rules would say. */
  out: { valid: boolean; lax: boolean }
}

const file = path.resolve(import.meta.dirname, '../../../test/vectors/ed25519.json')
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })

function inputs(vector: Vector): [Uint8Array, Uint8Array, Uint8Array] {
  const { publicKey, message, signature } = vector.in
  return [fromHex(publicKey), fromHex(message), fromHex(signature)]
}

describe('ed25519 vectors', () => {
  for (const vector of cases) {
    it(`${vector.out.valid ? 'takes' : 'refuses'} ${vector.id}`, () => {
      assert.equal(verifySignature(...inputs(vector)), vector.out.valid)
    })
  }

  it('have cases that the bare equation takes, and node:crypto too', () => {
    const traps = cases.filter(({ out }) => out.lax && !out.valid)
    assert.ok(traps.length > 20)
    const taken = traps.filter((vector) => {
      const [publicKey, message, signature] = inputs(vector)
      const der = Buffer.from(concat(fromHex('302a300506032b6570032100'), publicKey))
      const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
      return verify(null, message, key, signature)
    })
    assert.ok(taken.length > 10)
  })
})

describe('ed25519', () => {
  it('verifies what it signs, and nothing with one bit changed', () => {
    fc.assert(
      fc.property(seed, fc.uint8Array(), fc.nat(), (secret, message, at) => {
        const publicKey = publicKeyOfSeed(secret)
        const signature = signMessage(secret, message)
        assert.ok(verifySignature(publicKey, message, signature))
        for (const bytes of [publicKey, message, signature]) {
          if (bytes.length === 0) continue
          const bit = at % (8 * bytes.length)
          bytes[bit >> 3] ^= 1 << (bit & 7)
          assert.ok(!verifySignature(publicKey, message, signature), `bit ${bit}`)
          bytes[bit >> 3] ^= 1 << (bit & 7)
        }
      }),
    )
  })

  it('is total on garbage', () => {
    const bytes = fc.uint8Array({ maxLength: 70 })
    fc.assert(
      fc.property(
        fc.oneof(seed, bytes),
        bytes,
        fc.oneof(bytes, fc.uint8Array({ minLength: 64, maxLength: 64 })),
        (publicKey, message, signature) => {
          assert.equal(verifySignature(publicKey, message, signature), false)
        },
      ),
    )
  })

  it('refuses a seed of another length', () => {
    for (const length of [0, 31, 33]) {
      assert.throws(() => publicKeyOfSeed(new Uint8Array(length)), RangeError)
      assert.throws(() => signMessage(new Uint8Array(length), new Uint8Array(1)), RangeError)
    }
  })
})
