import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat, equalBytes } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { convergenceKeys, streamKeysOf } from '../../src/caps/keys.ts'
import {
  Bundler,
  type FullBundle,
  maxBundleBytes,
  minBundleBytes,
} from '../../src/encoding/bundle.ts'
import { openFileStream, sealFileStream } from '../../src/encoding/file-stream.ts'

const keys = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))

interface Item {
  bytes: number
  cutValue: number
}

/** Lengths of bundles by the rule as the spec says it, in rationals. */
function plainCuts(items: readonly Item[]): number[] {
  const cuts: number[] = []
  let bytes = 0
  for (const { bytes: w, cutValue: u } of items) {
    if (bytes > 0 && bytes + w > 8 * 2 ** 20) {
      cuts.push(bytes)
      bytes = 0
    }
    bytes += w
    if (bytes >= 2 ** 20 && BigInt(u) * 3n * 2n ** 20n < BigInt(w) * 2n ** 32n) {
      cuts.push(bytes)
      bytes = 0
    }
  }
  return bytes > 0 ? [...cuts, bytes] : cuts
}

function bundles(items: readonly Item[]): FullBundle<number>[] {
  const bundler = new Bundler<number>()
  const full = items.flatMap(({ bytes, cutValue }, i) =>
    bundler.add({ sealed: new Uint8Array(bytes).fill(i), cutValue }, i),
  )
  return [...full, ...bundler.finish()]
}

const item: fc.Arbitrary<Item> = fc.record({
  bytes: fc.oneof(fc.integer({ min: 33, max: 2 ** 20 + 32 }), fc.constant(2 ** 20)),
  cutValue: fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0, 2 ** 32 - 1)),
})

describe('bundle', () => {
  it('holds streams end to end, and ends where the rule says', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const full = bundles(items)
        assert.deepEqual(
          full.map(({ content }) => content.length),
          plainCuts(items),
        )
        for (const { content, items: held } of full) {
          for (const { item: i, offset } of held) {
            assert.equal(content[offset], i % 256)
            assert.equal(content[offset + items[i].bytes - 1], i % 256)
          }
        }
        assert.deepEqual(
          full.flatMap(({ items: held }) => held.map(({ item: i }) => i)),
          items.map((_, i) => i),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('ends at the least cut value that does, at the least length, and not past the greatest', () => {
    const never = 2 ** 32 - 1
    const w = 2 ** 20
    const threshold = Math.floor((w * 2 ** 32) / (3 * 2 ** 20))
    const sizes = (items: Item[]): number[] => bundles(items).map(({ content }) => content.length)
    const next = { bytes: 100, cutValue: never }
    assert.deepEqual(sizes([{ bytes: w, cutValue: threshold }, next]), [w, 100])
    assert.deepEqual(sizes([{ bytes: w, cutValue: threshold + 1 }, next]), [w + 100])
    const short = { bytes: minBundleBytes - 1, cutValue: 0 }
    assert.deepEqual(sizes([short, next]), [minBundleBytes + 99])
    const eight = Array.from({ length: 8 }, () => ({ bytes: 2 ** 20, cutValue: never }))
    assert.deepEqual(sizes([...eight, next]), [maxBundleBytes, 100])
    assert.deepEqual(sizes([next, ...eight]), [maxBundleBytes - 2 ** 20 + 100, 2 ** 20])
    assert.deepEqual(sizes([]), [])
  })

  it('has three to five mebibytes of small files on average, and falls in with old ends again', () => {
    const items = Array.from({ length: 4000 }, (_, i) => ({
      bytes: 2000 + ((i * 7919) % 30_000),
      cutValue: streamKeysOf(keys, 'raw', Uint8Array.of(i >> 8, i)).cutValue,
    }))
    const before = plainCuts(items)
    const mean = before.reduce((sum, bytes) => sum + bytes, 0) / before.length
    assert.ok(mean > 3 * 2 ** 20 && mean < 5 * 2 ** 20, `${mean} bytes`)
    const after = plainCuts([{ bytes: 31_000, cutValue: 2 ** 32 - 1 }, ...items])
    assert.deepEqual(after.slice(-before.length + 2), before.slice(2))
  })
})

describe('file stream', () => {
  const text = new TextEncoder().encode('all work and no play makes Jack a dull boy\n'.repeat(200))

  it('gives the bytes back, compressed or not', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ minLength: 1, maxLength: 3000 }),
          fc.integer({ min: 1, max: 9000 }).map((length) => concat(text, text).subarray(0, length)),
        ),
        fc.boolean(),
        (plaintext, compress) => {
          const stream = sealFileStream(keys, plaintext, { compress })
          assert.equal(stream.sealed.length, 32 + stream.storedBytes)
          assert.ok(equalBytes(openFileStream(stream.sealed, stream), plaintext))
          if (!compress) assert.equal(stream.compression, 'stored')
        },
      ),
    )
  })

  it('takes its key from the bytes that are sealed', () => {
    const packed = sealFileStream(keys, text)
    const stored = sealFileStream(keys, text, { compress: false })
    assert.equal(packed.compression, 'brotli')
    assert.notDeepEqual(packed.readKey, stored.readKey)
    assert.deepEqual(stored.readKey, streamKeysOf(keys, 'raw', text).readKey)
    assert.equal(stored.cutValue, streamKeysOf(keys, 'raw', text).cutValue)
  })

  it('refuses another key, and another length than was sealed', () => {
    const stream = sealFileStream(keys, text)
    const wrong = { ...stream, readKey: new Uint8Array(32).fill(1) }
    assert.throws(
      () => openFileStream(stream.sealed, wrong),
      (error) => isGridError(error, 'E_COMMIT'),
    )
    for (const plaintextBytes of [1, text.length - 1, text.length + 1, 2 ** 24]) {
      assert.throws(
        () => openFileStream(stream.sealed, { ...stream, plaintextBytes }),
        (error) => isGridError(error, 'E_SIZE'),
      )
    }
  })
})
