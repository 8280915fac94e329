import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, equalBytes, toHex, utf8 } from '../../../src/base/bytes.ts'
import { type ErrorCode, isGridError } from '../../../src/base/errors.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { convergenceKeys } from '../../../src/caps/keys.ts'
import { segmentBytes } from '../../../src/encoding/descriptor.ts'
import { sealFileStream } from '../../../src/encoding/file-stream.ts'
import { paddedLength } from '../../../src/encoding/padme.ts'
import { keystream } from '../../../src/encoding/seal.ts'
import {
  downloadStream,
  downloadTree,
  type SegmentReader,
} from '../../../src/node/content/file-download.ts'
import { sealFileNode } from '../../../src/tree/file-node.ts'
import { NodeBundler } from '../../../src/tree/node-sink.ts'
import type { ObjectRef } from '../../../src/tree/refs.ts'
import type { StreamRef } from '../../../src/tree/stream-row.ts'

const keys = convergenceKeys(new Uint8Array(32).fill(5))
const noise = keystream(sha256(), 600_000)
const text = utf8('what is said once is said again. '.repeat(20_000)).subarray(0, 600_000)

/** Objects cut into segments, and how many requests were made for them. */
class Segments {
  readonly #objects = new Map<string, Uint8Array>()
  requests = 0

  store = async (content: Uint8Array): Promise<ObjectRef> => {
    const ciphertext = new Uint8Array(paddedLength(content.length))
    ciphertext.set(content)
    const root = sha256(content)
    this.#objects.set(toHex(root), ciphertext)
    return { root, k: 1, n: 1, ciphertextBytes: ciphertext.length }
  }

  read: SegmentReader = async ({ object, firstSegment, segmentCount }) => {
    this.requests++
    const whole = this.#objects.get(toHex(object.root))!
    const start = firstSegment * segmentBytes
    return {
      ciphertext: whole.slice(start, start + segmentCount * segmentBytes),
      ciphertextBytes: whole.length,
    }
  }
}

/** A stream of these bytes in an object that holds `before` other bytes first. */
async function stored(
  segments: Segments,
  before: number,
  plaintext: Uint8Array,
  compress: boolean,
): Promise<StreamRef> {
  const { sealed, readKey, plaintextBytes, compression, storedBytes } = sealFileStream(
    keys,
    plaintext,
    { compress },
  )
  const object = await segments.store(concat(noise.subarray(0, before), sealed))
  return { object, offset: before, readKey, plaintextBytes, compression, storedBytes }
}

async function bytes(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return concat(...all)
}

async function refuses(pieces: AsyncIterable<Uint8Array>, code: ErrorCode): Promise<void> {
  await assert.rejects(bytes(pieces), (error) => isGridError(error, code))
}

describe('file download', () => {
  const offsets = [0, 1, 100, segmentBytes - 33, segmentBytes - 32, segmentBytes - 1, segmentBytes]

  it('reads any range of a stream at any offset, compressed or not', async () => {
    for (const before of offsets) {
      for (const plaintext of [noise.subarray(0, 300_000), text]) {
        const segments = new Segments()
        const stream = await stored(segments, before, plaintext, plaintext === text)
        assert.equal(stream.compression, plaintext === text ? 'brotli' : 'stored')
        const { length } = plaintext
        const ends = [0, 1, 2000, segmentBytes - 32, segmentBytes, segmentBytes + 1, length]
        for (const from of ends) {
          for (const to of ends.filter((end) => end >= from)) {
            const found = await bytes(downloadStream(segments.read, stream, from, to))
            assert.ok(equalBytes(found, plaintext.subarray(from, to)), `${before}: ${from}-${to}`)
          }
        }
      }
    }
  })

  it('makes one request for a small file in a bundle, and two for a range far behind its start', async () => {
    const segments = new Segments()
    const small = await stored(segments, segmentBytes - 10, noise.subarray(0, 5000), false)
    await bytes(downloadStream(segments.read, small, 0, 5000))
    assert.equal(segments.requests, 1)
    const long = await stored(segments, 100, noise.subarray(0, 500_000), false)
    await bytes(downloadStream(segments.read, long, 450_000, 450_100))
    assert.equal(segments.requests, 3)
  })

  it('reads a file whose node and tail are in bundles', async () => {
    const segments = new Segments()
    const rows = [
      await stored(segments, 0, noise, false),
      await stored(segments, 0, text, true),
      await stored(segments, 70_000, noise.subarray(0, 700), false),
    ]
    const bundler = new NodeBundler(segments.store)
    await bundler.put((self) => sealFileNode(keys, { depth: 0, rows: rows.slice(0, 1) }, self))
    const leaf = await bundler.put((self) => sealFileNode(keys, { depth: 0, rows }, self))
    const plaintextBytes = noise.length + text.length + 700
    const child = { ...leaf, plaintextBytes }
    const root = await bundler.put((self) => sealFileNode(keys, { depth: 1, rows: [child] }, self))
    await bundler.finish()
    const whole = concat(noise, text, noise.subarray(0, 700))
    const tree = { ...root, plaintextBytes }
    assert.ok(equalBytes(await bytes(downloadTree(segments.read, tree, 0, whole.length)), whole))
    const part = await bytes(downloadTree(segments.read, tree, 599_990, 1_200_010))
    assert.ok(equalBytes(part, whole.subarray(599_990, 1_200_010)))
    const lying = { ...tree, plaintextBytes: plaintextBytes - 1 }
    await refuses(downloadTree(segments.read, lying, 0, 1), 'E_NODE')
  })

  it('refuses another key, another place, another codec and another length', async () => {
    const segments = new Segments()
    const plain = await stored(segments, 1000, noise.subarray(0, 300_000), false)
    const packed = await stored(segments, 1000, text, true)
    const readKey = sha256(utf8('another'))
    for (const [from, to] of [
      [0, 10],
      [299_000, 299_010],
    ] as const) {
      await refuses(downloadStream(segments.read, { ...plain, readKey }, from, to), 'E_COMMIT')
      await refuses(downloadStream(segments.read, { ...plain, offset: 999 }, from, to), 'E_COMMIT')
    }
    await refuses(downloadStream(segments.read, plain, 0, 400_000), 'E_SIZE')
    await refuses(
      downloadStream(segments.read, { ...packed, compression: 'stored' }, 0, text.length),
      'E_SIZE',
    )
    await refuses(
      downloadStream(segments.read, { ...plain, compression: 'brotli' }, 0, 1),
      'E_SIZE',
    )
    for (const plaintextBytes of [1, text.length - 1, text.length + 1])
      await refuses(downloadStream(segments.read, { ...packed, plaintextBytes }, 0, 1), 'E_SIZE')
  })
})
