import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { commitmentOf, convergenceKeys, readKeyOf } from '../../src/caps/keys.ts'
import { type Coding, storageIndexOf } from '../../src/encoding/descriptor.ts'
import {
  badBlock,
  decodeSegments,
  encodedLength,
  encodeObject,
  pad,
  type ShareBlocks,
} from '../../src/encoding/object.ts'
import { paddedLength, padme } from '../../src/encoding/padme.ts'
import { open, seal, sealedLength } from '../../src/encoding/seal.ts'
import {
  blockOffset,
  headerLength,
  parseShareHeader,
  shareLayout,
} from '../../src/encoding/share.ts'
import { ShareVerifier } from '../../src/encoding/share-verifier.ts'
import { PlainCode } from './plain-code.ts'

const code = new PlainCode()
const keys = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))
const plaintext = Uint8Array.from({ length: 2000 }, (_, i) => i % 256)

function ciphertextOf(bytes: Uint8Array): Uint8Array {
  const key = readKeyOf(keys, 'raw', bytes)
  const buffer = new Uint8Array(paddedLength(sealedLength(bytes.length)))
  buffer.set(seal('raw', key, bytes))
  pad(buffer, sealedLength(bytes.length), keys.pad)
  return buffer
}

function blocksOf(share: Uint8Array): ShareBlocks {
  const header = parseShareHeader(share.subarray(0, headerLength(share)))
  return { header, blocks: share.subarray(header.layout.headerBytes) }
}

describe('object', () => {
  it('gives the worked vector of the spec', () => {
    const key = readKeyOf(keys, 'raw', plaintext)
    assert.equal(toHex(key), '30a9ea166be6b4a6f9bdf6b381b0a2302e2c807f82224fc2db918b78a1171057')
    assert.equal(
      toHex(commitmentOf(key, 'raw')),
      '503d053de748362db1ebef4d5968416a44f2b25d6291446f37cdf1b4000c1331',
    )
    const ciphertext = ciphertextOf(plaintext)
    assert.equal(ciphertext.length, 2048)
    const { root, shares } = encodeObject(ciphertext, { k: 3, n: 10 }, code)
    assert.equal(toHex(root), '40fe4870291843e163764c92135342a36ae52749e821fd33289abb92a7045ce6')
    assert.equal(toBase32(storageIndexOf(root)), 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j')
    assert.equal(shares[0].length, 1123)
    assert.equal(
      toHex(sha256(shares[0])),
      '0076ec30d0da91933766db8eefd08ec374b3b044a46fbbf6b1f4f08be04a4811',
    )
    assert.equal(
      toHex(sha256(shares[9])),
      '4daa06d47fabb0c4753854d09a454563f218da1cfe16bd21b11e0f4363cf7a44',
    )
  })

  it('decodes from every k of n shares to the same bytes', () => {
    const ciphertext = ciphertextOf(plaintext)
    const { shares } = encodeObject(ciphertext, { k: 3, n: 10 }, code)
    let subsets = 0
    for (let a = 0; a < 10; a++) {
      for (let b = a + 1; b < 10; b++) {
        for (let c = b + 1; c < 10; c++) {
          const chosen = [shares[c], shares[a], shares[b]].map(blocksOf)
          assert.deepEqual(decodeSegments(chosen, 0, 1, code), ciphertext)
          subsets++
        }
      }
    }
    assert.equal(subsets, 120)
  })

  it('round-trips at lengths about the segment size, at any coding', () => {
    const codings: Coding[] = [
      { k: 1, n: 1 },
      { k: 1, n: 3 },
      { k: 3, n: 3 },
      { k: 7, n: 9 },
    ]
    for (const coding of codings) {
      for (const length of [1024, 131_071, 131_072, 131_073, 262_144]) {
        const ciphertext = Uint8Array.from({ length }, (_, i) => (i * 7) >> 3)
        const { shares } = encodeObject(ciphertext, coding, code)
        const { segmentCount, shareBytes } = shareLayout({ ...coding, ciphertextBytes: length })
        assert.equal(shares.length * shareBytes, encodedLength(length, coding))
        const chosen = shares.slice(-coding.k).map(blocksOf)
        for (const share of chosen) assert.equal(badBlock(share, 0, segmentCount), undefined)
        assert.deepEqual(decodeSegments(chosen, 0, segmentCount, code), ciphertext)
      }
    }
  })

  it('decodes a run of segments alone', () => {
    const ciphertext = Uint8Array.from({ length: 400_000 }, (_, i) => i % 251)
    const { shares } = encodeObject(ciphertext, { k: 2, n: 4 }, code)
    const chosen = shares.slice(1, 3).map((share) => {
      const { header, blocks } = blocksOf(share)
      const run = blocks.subarray(
        blockOffset(header.descriptor, 1),
        blockOffset(header.descriptor, 3),
      )
      return { header, blocks: run }
    })
    assert.deepEqual(decodeSegments(chosen, 1, 2, code), ciphertext.subarray(131_072, 393_216))
  })

  it('refuses checked blocks that give another segment than the root commits to', () => {
    // The uploader swaps in a share of other content under honest-looking hashes: each block matches
    // its leaf, but no segment can match the one ciphertext the root commits to.
    const one = encodeObject(ciphertextOf(plaintext), { k: 2, n: 3 }, code)
    const forged = blocksOf(one.shares[2])
    const other = { ...forged, blocks: forged.blocks.map((byte) => byte ^ 1) }
    assert.throws(
      () => decodeSegments([blocksOf(one.shares[0]), other], 0, 1, code),
      (error) => isGridError(error, 'E_ENCODING'),
    )
  })

  it('pads to the published Padmé lengths', () => {
    const expected: [number, number][] = [
      [1024, 1024],
      [1025, 1088],
      [2032, 2048],
      [2049, 2176],
      [1_048_577, 1_081_344],
      [16_000_000, 16_252_928],
    ]
    for (const [length, padded] of expected) assert.equal(padme(length), padded)
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 24 }), (length) => {
        assert.ok(padme(length) >= length && padme(length) <= length * 1.125)
        assert.equal(padme(padme(length)), padme(length))
      }),
    )
  })

  it('opens what it sealed, and nothing under another key or type', () => {
    const key = readKeyOf(keys, 'raw', plaintext)
    const sealed = seal('raw', key, plaintext)
    assert.deepEqual(open('raw', key, sealed), plaintext)
    assert.throws(
      () => open('tree', key, sealed),
      (error) => isGridError(error, 'E_COMMIT'),
    )
    assert.throws(
      () => open('raw', keys.raw, sealed),
      (error) => isGridError(error, 'E_COMMIT'),
    )
    assert.throws(
      () => open('raw', key, sealed.subarray(0, 31)),
      (error) => isGridError(error, 'E_COMMIT'),
    )
  })

  it('refuses a convergence secret that is none', () => {
    assert.throws(() => convergenceKeys(new Uint8Array(32)), RangeError)
    assert.throws(() => convergenceKeys(fromHex('00')), RangeError)
  })
})

describe('share verifier', () => {
  const { root, shares } = encodeObject(ciphertextOf(plaintext), { k: 3, n: 10 }, code)
  const share = shares[4]
  const verify = (
    bytes: Uint8Array,
    cut: number,
    shareNumber = 4,
    index = storageIndexOf(root),
  ): void => {
    const verifier = new ShareVerifier(index, shareNumber, share.length)
    for (let at = 0; at < bytes.length; at += cut) verifier.push(bytes.subarray(at, at + cut))
    verifier.finish()
  }
  const refuses = (
    bytes: Uint8Array,
    cut = 100,
    shareNumber = 4,
    index = storageIndexOf(root),
  ): void => {
    assert.throws(
      () => verify(bytes, cut, shareNumber, index),
      (error) => isGridError(error, 'E_SHARE', 'E_DESCRIPTOR', 'E_BLOCK', 'E_VERSION'),
    )
  }

  it('takes a good share however it is cut', () => {
    for (const cut of [1, 7, 440, 441, 1123, 5000]) verify(share, cut)
  })

  it('refuses a share with any one byte changed', () => {
    for (let i = 0; i < share.length; i++) {
      const bad = share.slice()
      bad[i] ^= 1 << (i % 8)
      refuses(bad)
    }
  })

  it('refuses a share that is cut short or runs on', () => {
    for (const length of [0, 1, 7, 8, 440, share.length - 1]) refuses(share.subarray(0, length))
    refuses(Uint8Array.from([...share, 0]))
  })

  it('refuses a good share under another number or another object', () => {
    refuses(share, 100, 5)
    refuses(share, 100, 4, new Uint8Array(20))
  })
})
