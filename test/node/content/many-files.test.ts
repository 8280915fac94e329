import assert from 'node:assert/strict'
import { closeSync, openSync, writeFileSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { convergenceKeys, tagOf } from '../../../src/caps/keys.ts'
import { InlineEncoder } from '../../../src/encoding/inline-encoder.ts'
import type { FileReader } from '../../../src/encoding/file-reader.ts'
import { openErasureCode } from '../../../src/encoding/open-code.ts'
import type { FileContent } from '../../../src/node/content/file-content.ts'
import { syncFileReader } from '../../../src/node/encoder/file-source.ts'
import { checkOf, type KnownStream } from '../../../src/node/content/known-stream.ts'
import type { ManyInput, ManyOptions, ManyResult } from '../../../src/node/content/many-files.ts'
import type { StoreTotals } from '../../../src/node/objects/store-totals.ts'
import type { NamedFile, TaggedStream } from '../../../src/node/content/stored-file.ts'
import { WorkerEncoder } from '../../../src/node/encoder/worker-encoder.ts'
import type { StreamRef } from '../../../src/tree/stream-row.ts'
import { content, MemoryGrid } from '../memory-grid.ts'

const mib = 2 ** 20
const secret = new Uint8Array(32).fill(1)
const keys = convergenceKeys(secret)

/** Bytes that no cutter finds a period in, and that a compressor halves. */
function large(length: number, seed = 7): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = (state >>> 24) & 0x0f
  }
  return bytes
}

function streamsOf(...files: Uint8Array[]): ManyInput<number>[] {
  return files.map((bytes, item) => ({ item, input: { stream: [bytes] } }))
}

/** What came of files, and of all their objects together. */
async function store(
  memory: MemoryGrid,
  inputs: ManyInput<number>[],
  options: ManyOptions<number> = {},
): Promise<{ results: ManyResult<number>[]; totals: StoreTotals }> {
  const results: ManyResult<number>[] = []
  const writer = await memory.grid.trees.write(async (opened) => {
    for await (const result of opened.putMany(inputs, options)) results.push(result)
    return opened
  })
  for (const { stored } of results) await stored
  return { results, totals: writer.totals }
}

async function read(memory: MemoryGrid, file: FileContent): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of memory.grid.trees.readContent(file)) pieces.push(piece)
  return concat(...pieces)
}

/** What a cache would say of streams. */
function knownFrom(streams: readonly TaggedStream[], withKeys: boolean) {
  const asked: string[] = []
  const known = (tag: Uint8Array): KnownStream | undefined => {
    asked.push(Buffer.from(tag).toString('hex'))
    const found = streams.find((stream) => Buffer.compare(stream.tag, tag) === 0)
    if (found === undefined) return undefined
    const readKey = withKeys ? found.readKey : undefined
    return { ...found, check: checkOf(found.readKey), readKey }
  }
  return { asked, known }
}

function tagged(file: NamedFile): TaggedStream {
  return { ...(file.content as StreamRef), tag: file.tag! }
}

describe('many files', () => {
  let memory: MemoryGrid
  let directory: string

  beforeEach(async () => {
    memory = await MemoryGrid.of(3, secret)
    directory = mkdtempSync(path.join(tmpdir(), 'many-files-'))
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  it('gives tags, extents and nodes', async () => {
    const files = [content(10), content(5000), large(5 * mib), large(mib + 1).fill(3)]
    const { results, totals } = await store(memory, streamsOf(...files), { compress: true })
    assert.deepEqual(
      results.map(({ kind, fuzzy }) => [kind, fuzzy]),
      ['lit', 'file', 'tree', 'file'].map((kind) => [kind, false]),
    )
    const [literal, small, tree, one] = results
    assert.equal(literal.tag, undefined)
    assert.deepEqual(small.tag, tagOf(keys, files[1]))
    assert.deepEqual(one.tag, tagOf(keys, files[3]))
    assert.deepEqual([small.extents, one.extents, one.nodes], [[], [], []])
    assert.equal(tree.tag, undefined)
    assert.equal(tree.nodes.length, 1)
    let at = 0
    for (const { tag, plaintextBytes, compression, storedBytes } of tree.extents) {
      assert.deepEqual(tag, tagOf(keys, files[2].subarray(at, at + plaintextBytes)))
      assert.equal(compression, 'brotli')
      assert.ok(storedBytes < 0.6 * plaintextBytes)
      at += plaintextBytes
    }
    assert.equal(at, files[2].length)
    assert.equal(totals.newPlaintextBytes, 5000 + 5 * mib + mib + 1)
    assert.equal(totals.objects, 3 + tree.extents.length)
    assert.ok(totals.sentBytes > 0 && totals.hadBytes === 0)
    for (const [i, result] of results.entries())
      assert.deepEqual(await read(memory, result), files[i])
  })

  it('stores equal files of one run once', async () => {
    const [small, big] = [content(70_000), large(3 * mib)]
    const files = [small, big, content(100), small.slice(), big.slice(), small.slice()]
    const { results, totals } = await store(memory, streamsOf(...files))
    assert.deepEqual(results[3].content, results[0].content)
    assert.deepEqual(results[5].content, results[0].content)
    assert.deepEqual(results[4].extents, results[1].extents)
    assert.equal(totals.newPlaintextBytes, 70_000 + 3 * mib + 100)
    for (const [i, result] of results.entries())
      assert.deepEqual(await read(memory, result), files[i])
  })

  it('takes over what is known, and asks once for each', async () => {
    const files = [content(5000), large(5 * mib)]
    const first = await store(memory, streamsOf(...files), { compress: true })
    const streams = [tagged(first.results[0]), ...first.results[1].extents]
    for (const withKeys of [true, false]) {
      const { asked, known } = knownFrom(streams, withKeys)
      const again = await store(memory, streamsOf(...files), { compress: true, known })
      assert.equal(asked.length, streams.length)
      assert.equal(new Set(asked).size, streams.length)
      assert.equal(again.totals.sentBytes, 0)
      // with its keys, only the node of the large file is made again
      if (withKeys) assert.equal(again.totals.objects, 1)
      assert.deepEqual(
        again.results.map(({ content }) => content),
        first.results.map(({ content }) => content),
      )
    }
  })

  it('takes over nothing that its bytes would not be sealed to', async () => {
    const bytes = content(5000)
    const first = await store(memory, streamsOf(bytes))
    const stream = tagged(first.results[0])
    for (const wrong of [
      { check: new Uint8Array(8) },
      { storedBytes: 4999 },
      { plaintextBytes: 4999 },
      { compression: 'brotli' as const },
    ]) {
      const known = (): KnownStream => {
        return { ...stream, check: checkOf(stream.readKey), readKey: undefined, ...wrong }
      }
      const { totals } = await store(memory, streamsOf(bytes), { known })
      assert.equal(totals.objects, 1)
    }
    const known = (): KnownStream => {
      return { ...stream, plaintextBytes: 1, check: checkOf(stream.readKey) }
    }
    const { results } = await store(memory, streamsOf(large(3 * mib)), { known })
    assert.equal(results[0].sizeBytes, 3 * mib)
  })

  it('tells of extents as they are stored, and goes on behind those that were', async () => {
    const bytes = large(9 * mib)
    const told: TaggedStream[] = []
    const onExtent: ManyOptions<number>['onExtent'] = (item, index, extent) => {
      assert.equal(item, 0)
      told[index] = extent
    }
    const first = await store(memory, streamsOf(bytes), { onExtent })
    const [{ extents }] = first.results
    assert.ok(extents.length >= 3)
    assert.deepEqual(told, extents)
    const file = path.join(directory, 'file')
    writeFileSync(file, bytes)
    let firstRead = Infinity
    const reader: FileReader = {
      ...syncFileReader,
      read: (fd, position, room) => {
        firstRead = Math.min(firstRead, position)
        return syncFileReader.read(fd, position, room)
      },
    }
    const encoder = new InlineEncoder(openErasureCode(), reader)
    const other = await MemoryGrid.of(3, secret, { encoder, smallEncoder: encoder })
    other.candidates.splice(0, 3, ...memory.candidates)
    const storedExtents = extents.slice(0, 2)
    for (const input of [
      { fd: openSync(file, 'r'), sizeBytes: bytes.length },
      { stream: [bytes.slice(0, 100_000), bytes.slice(100_000)] },
    ]) {
      const indexes: number[] = []
      const { results } = await store(other, [{ item: 0, input, storedExtents }], {
        onExtent: (_, index) => void indexes.push(index),
      })
      assert.deepEqual(results[0].content, first.results[0].content)
      assert.deepEqual(results[0].extents, extents)
      assert.deepEqual(
        indexes.sort((a, b) => a - b),
        extents.slice(2).map((_, i) => i + 2),
      )
      if (input.fd !== undefined) {
        closeSync(input.fd)
        assert.equal(firstRead, storedExtents[0].plaintextBytes + storedExtents[1].plaintextBytes)
      }
    }
  })

  it('reads a file that changes once more, and then takes it as it is', async () => {
    for (const length of [10_000, 3 * mib]) {
      for (const changes of [0, 1, 2, 3]) {
        const file = path.join(directory, 'file')
        writeFileSync(file, content(length))
        let left = changes
        const reader: FileReader = {
          ...syncFileReader,
          read(fd, position, room) {
            const filled = syncFileReader.read(fd, position, room)
            if (position === 0 && left > 0) writeFileSync(file, content(length + left--, left))
            return filled
          },
        }
        const encoder = new InlineEncoder(openErasureCode(), reader)
        const grid = await MemoryGrid.of(3, secret, { encoder, smallEncoder: encoder })
        const fd = openSync(file, 'r')
        const inputs = [{ item: 0, input: { fd, sizeBytes: length }, close: () => closeSync(fd) }]
        const { results } = await store(grid, inputs)
        assert.equal(results[0].fuzzy, changes >= 2, `${length}, ${changes}`)
        if (changes === 0) assert.deepEqual(await read(grid, results[0]), content(length))
        if (changes === 1) assert.deepEqual(await read(grid, results[0]), content(length + 1, 0))
      }
    }
  })

  it('takes files that grow and shrink past what a bundle takes', async () => {
    const file = path.join(directory, 'file')
    for (const [then, now] of [
      [100, 3 * mib],
      [3 * mib, 100],
      [3 * mib, 0],
      [100, 0],
    ]) {
      writeFileSync(file, content(then))
      const fd = openSync(file, 'r')
      truncateSync(file)
      writeFileSync(file, content(now))
      let closed = 0
      const close = (): void => {
        closed++
        closeSync(fd)
      }
      const inputs = [{ item: 0, input: { fd, sizeBytes: then }, close }]
      const { results } = await store(memory, inputs)
      assert.equal(closed, 1)
      assert.equal(results[0].sizeBytes, now)
      assert.deepEqual(await read(memory, results[0]), content(now))
    }
  })

  it('leaves out what cannot be read, if told to', async () => {
    // reading a directory fails
    const fd = openSync(directory, 'r')
    for (const sizeBytes of [4096, 2 * mib]) {
      const inputs: ManyInput<number>[] = [
        ...streamsOf(content(100)),
        { item: 1, input: { fd, sizeBytes } },
        { item: 2, input: { stream: [content(200)] } },
      ]
      const left: [number, string][] = []
      const { results } = await store(memory, inputs, {
        onUnreadable: (item, { code }) => left.push([item, code]),
      })
      assert.deepEqual(left, [[1, 'E_FILE']])
      assert.deepEqual(
        results.map(({ item }) => item),
        [0, 2],
      )
      await assert.rejects(store(memory, inputs), (error) => isGridError(error, 'E_FILE'))
    }
    closeSync(fd)
  })

  it('rejects what is not stored, and crashes nobody', async () => {
    for (let i = 0; i < 3; i++)
      memory.wrap(i, () => ({ putShare: () => Promise.reject(new Error('no')) }))
    const results: ManyResult<number>[] = []
    const storing = memory.grid.trees.write(async (writer) => {
      for await (const result of writer.putMany(streamsOf(content(100), large(2 * mib))))
        results.push(result)
    })
    const isRefused = (error: unknown): boolean => isGridError(error, 'E_NOT_ENOUGH_SERVERS')
    await assert.rejects(storing, isRefused)
    for (const { stored } of results) await assert.rejects(stored, isRefused)
  })

  it('closes every input that it took, also when it is given up', async () => {
    let [taken, closed] = [0, 0]
    const [big, small] = [large(2 * mib), large(60_000)]
    const endless = function* (): Generator<ManyInput<number>> {
      for (let item = 0; ; item++) {
        taken++
        const close = (): void => {
          closed++
        }
        small[0] = item
        yield { item, input: { stream: [item % 7 === 0 ? big : small.slice()] }, close }
      }
    }
    await memory.grid.trees.write(async (writer) => {
      for await (const { item } of writer.putMany(endless())) if (item === 10) break
    })
    assert.equal(closed, taken)
  })

  it('gives the same from worker threads', async () => {
    const encoder = new WorkerEncoder({ threads: 2 })
    const workers = await MemoryGrid.of(3, secret, { encoder, smallEncoder: encoder })
    const file = path.join(directory, 'file')
    writeFileSync(file, large(5 * mib, 3))
    const texts = Array.from({ length: 300 }, (_, i) => utf8(`${i} is a number. `.repeat(i)))
    const inputs = (fd: number): ManyInput<number>[] => [
      ...streamsOf(...texts),
      { item: 300, input: { fd, sizeBytes: 5 * mib } },
      { item: 301, input: { stream: [large(3 * mib)] } },
      { item: 302, input: { fd, sizeBytes: 5000 } },
    ]
    try {
      const fd = openSync(file, 'r')
      const one = await store(memory, inputs(fd), { compress: true })
      const two = await store(workers, inputs(fd), { compress: true })
      assert.deepEqual(two, one)
      closeSync(fd)
    } finally {
      await encoder.close()
    }
  })
})
