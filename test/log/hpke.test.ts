/** Published known answers: draft-ietf-hpke-pq-04, A.5, and draft-connolly-cfrg-xwing-kem-08, C. */
import assert from 'node:assert/strict'
import { ml_kem768_x25519 as portable } from '@noble/post-quantum/hybrid.js'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { openWith, sealTo } from '../../src/log/hpke.ts'
import {
  decapsulate,
  encapsulate,
  encapsulationBytes,
  kemPublicKeyOf,
} from '../../src/log/x-wing.ts'

/** Each byte string by its beginning, or by beginning and end. */
const xwingAnswers = [
  {
    seed: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
    publicKey: ['e2236b35a8c24b39b10aa1323a96a919', '6223593d4ba32d9abac8cd049040ef6534'],
    random:
      '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
      '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    encapsulation: [
      'b83aa828d4d62b9a83ceffe1d3d3bb1e',
      '2fc5145030145cfb97e63e0e41d354274a079d3e6fb2e15',
    ],
    shared: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
  },
  {
    seed: 'badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea',
    publicKey: ['0333285fa253661508c9fb444852caa4', '528c953926d96ea8a160b8843f1c89c62'],
    random:
      '17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef' +
      'aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d',
    encapsulation: ['c93beb22326705699bbc3d1d0aa6339b', '69aee6f91c98bea4127ae66312f4ae3ea155b67'],
    shared: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
  },
]

const hpkeAnswer = {
  seed: '3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630',
  publicKey: ['f5fb01a5db909ac907ecc9524de9b9ea', '20e7f4d4f557f15b33dcf32e5c837'],
  info: '34663634363532303666366532303631323034373732363536333639363136653230353537323665',
  random:
    '2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd19' +
    '0fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8',
  encapsulation: ['26759c7b22923ea5cc9c78e3e14c8fc6', '03f9b47d34d1a3cbafe42c73f57d0e'],
  plaintext:
    '34323635363137353734373932303639373332303734373237353734363832633230373437323735' +
    '373436383230363236353631373537343739',
  aad: '436f756e742d30',
  ciphertext:
    'c5c591f99092d5e38df0a52699af249c66f8275a863423c076de8147a53e65cc584041c963b77a7e59ea93841b' +
    '1339b5efda8909b71f74bb0073ad62e899de310c1566dea2fd29eba377',
}

const fixed = (hex: string) => ({ bytes: () => fromHex(hex) })

function agrees(bytes: Uint8Array, [begins, ends]: string[]): void {
  assert.equal(toHex(bytes).slice(0, begins.length), begins)
  assert.equal(toHex(bytes).slice(-ends.length), ends)
}

describe('X-Wing', () => {
  for (const answer of xwingAnswers) {
    it(`gives what its draft says for ${answer.seed.slice(0, 8)}`, () => {
      const publicKey = kemPublicKeyOf(fromHex(answer.seed))
      agrees(publicKey, answer.publicKey)
      const { encapsulation, sharedSecret } = encapsulate(publicKey, fromHex(answer.random))
      agrees(encapsulation, answer.encapsulation)
      assert.equal(toHex(sharedSecret), answer.shared)
      const opened = decapsulate(encapsulation, fromHex(answer.seed))
      assert.equal(toHex(opened), answer.shared)
    })
  }

  it('gives what the portable implementation gives', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const agree = fc.property(bytes(32), bytes(64), (seed, random) => {
      const publicKey = kemPublicKeyOf(seed)
      const { encapsulation, sharedSecret } = encapsulate(publicKey, random)
      const theirs = portable.encapsulate(publicKey, random)
      assert.deepEqual([encapsulation, sharedSecret], [theirs.cipherText, theirs.sharedSecret])
    })
    fc.assert(agree, { numRuns: 20 })
  })

  it('refuses an X25519 key that gives everybody the same secret', () => {
    const publicKey = kemPublicKeyOf(new Uint8Array(32).fill(1)).fill(0, 1184)
    assert.throws(() => encapsulate(publicKey, new Uint8Array(64).fill(2)))
  })
})

describe('HPKE', () => {
  const seed = fromHex(hpkeAnswer.seed)
  const publicKey = kemPublicKeyOf(seed)
  const context = { info: fromHex(hpkeAnswer.info), aad: fromHex(hpkeAnswer.aad) }
  const plaintext = fromHex(hpkeAnswer.plaintext)
  const sealed = sealTo(publicKey, context, plaintext, fixed(hpkeAnswer.random))

  it('gives what draft-ietf-hpke-pq says', () => {
    agrees(publicKey, hpkeAnswer.publicKey)
    agrees(sealed.subarray(0, encapsulationBytes), hpkeAnswer.encapsulation)
    assert.equal(toHex(sealed.subarray(encapsulationBytes)), hpkeAnswer.ciphertext)
    assert.deepEqual(openWith(seed, context, sealed), plaintext)
  })

  it('opens under no other key, info or associated data', () => {
    const refused = (error: unknown): boolean => isGridError(error, 'E_SEAL')
    const other = seed.slice()
    other[0] ^= 1
    assert.throws(() => openWith(other, context, sealed), refused)
    assert.throws(() => openWith(seed, { ...context, info: other }, sealed), refused)
    assert.throws(() => openWith(seed, { ...context, aad: other }, sealed), refused)
  })

  it('opens nothing with a bit changed or cut short', () => {
    const refused = (error: unknown): boolean => isGridError(error, 'E_SEAL')
    for (let at = 0; at < sealed.length; at += 97) {
      const changed = sealed.slice()
      changed[at] ^= 1 << (at & 7)
      assert.throws(() => openWith(seed, context, changed), refused, `byte ${at}`)
      assert.throws(() => openWith(seed, context, sealed.subarray(0, at)), refused)
    }
  })

  it('refuses a key that is none', () => {
    const refused = (error: unknown): boolean => isGridError(error, 'E_GENESIS')
    const random = fixed(hpkeAnswer.random)
    assert.throws(() => sealTo(new Uint8Array(3), context, plaintext, random), refused)
    assert.throws(() => sealTo(new Uint8Array(1216).fill(255), context, plaintext, random), refused)
  })
})
