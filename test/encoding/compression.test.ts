import assert from 'node:assert/strict'
import { brotliCompressSync, constants } from 'node:zlib'
import { describe, it } from 'mocha'
import { concat, equalBytes, fromHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { compress, decompress } from '../../src/encoding/compression.ts'
import { keystream } from '../../src/encoding/seal.ts'

const noise = keystream(sha256(), 3 * 2 ** 20)

function refuses(stored: Uint8Array, plaintextBytes: number): void {
  assert.throws(
    () => decompress('brotli', stored, plaintextBytes),
    (error) => isGridError(error, 'E_SIZE'),
  )
}

describe('compression', () => {
  it('is undone, at every length around where it changes its ways', () => {
    for (const length of [1, 2, 65, 2 ** 16 - 1, 2 ** 16, 2 ** 16 + 1, 2 ** 22]) {
      for (const plaintext of [new Uint8Array(length).fill(97), noise.slice(0, length)]) {
        const { compression, stored } = compress(plaintext)
        assert.ok(equalBytes(decompress(compression, stored, plaintext.length), plaintext))
      }
    }
  })

  it('is done where it saves 3 % or more, and where the beginning of a long stream says so', () => {
    assert.equal(compress(noise.subarray(0, 50_000)).compression, 'stored')
    assert.equal(compress(new Uint8Array(50_000)).compression, 'brotli')
    const almost = concat(noise.subarray(0, 98_000), new Uint8Array(2000))
    assert.equal(compress(almost).compression, 'stored')
    const [zeros, head] = [new Uint8Array(2 ** 20), noise.subarray(0, 2 ** 16)]
    assert.equal(compress(concat(head, zeros)).compression, 'stored')
    assert.equal(compress(concat(zeros, head)).compression, 'brotli')
    assert.equal(compress(concat(zeros.subarray(0, 2 ** 16), noise)).compression, 'stored')
    for (const { stored } of [compress(noise), compress(noise.subarray(0, 9))])
      assert.equal(stored.buffer, noise.buffer, 'what is stored is not copied')
  })

  it('stops a bomb at the length that its row says', () => {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 1 }
    const bomb = new Uint8Array(brotliCompressSync(new Uint8Array(2 ** 27), { params }))
    assert.ok(bomb.length < 30_000, `${bomb.length} bytes`)
    const before = process.memoryUsage().arrayBuffers
    for (const length of [1, 1000, 2 ** 20]) refuses(bomb, length)
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 25)
  })

  it('refuses what is shorter, longer, cut, followed by more, or no such stream', () => {
    const plaintext = new Uint8Array(5000).fill(98)
    const { stored } = compress(plaintext)
    for (const length of [1, 4999, 5001, 2 ** 24]) refuses(stored, length)
    for (let length = 0; length < stored.length; length++)
      refuses(stored.subarray(0, length), plaintext.length)
    refuses(concat(stored, Uint8Array.of(0)), plaintext.length)
    refuses(concat(stored, stored), plaintext.length)
    refuses(noise.subarray(0, 100), 100)
    assert.throws(
      () => decompress('stored', plaintext, 4999),
      (error) => isGridError(error, 'E_SIZE'),
    )
  })

  it('reads the worked stream of the spec', () => {
    const stored = fromHex('1be703f825c2a2b1402034')
    assert.deepEqual(decompress('brotli', stored, 1000), new Uint8Array(1000).fill(97))
  })
})
