import assert from 'node:assert/strict'
import { openSync, closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { type ErrorCode, isGridError } from '../../../src/base/errors.ts'
import { capOfEntry } from '../../../src/tree/directory-cap.ts'
import { findEntry, listDirectory } from '../../../src/tree/directory-reader.ts'
import { changeDirectory, writeDirectory } from '../../../src/tree/directory-writer.ts'
import type { DirectoryEntry } from '../../../src/tree/entry.ts'
import { formatCap } from '../../../src/caps/text.ts'
import type { FileContent } from '../../../src/node/content/file-content.ts'
import type { ReadContentOptions, TreeStore } from '../../../src/node/content/tree-store.ts'
import { content, MemoryGrid } from '../memory-grid.ts'
import { lit, nameOf } from '../../tree/entries.ts'

const mib = 2 ** 20

function entryOf(name: string, file: FileContent): DirectoryEntry {
  const { mode, mtime, meta } = lit(name)
  const place = { name: utf8(name), mode, mtime, meta }
  const { kind, content } = file
  return { ...place, kind, content } as DirectoryEntry
}

async function read(
  trees: TreeStore,
  file: FileContent,
  range?: ReadContentOptions['range'],
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of trees.readContent(file, { range })) pieces.push(piece)
  return concat(...pieces)
}

function hasCode(...codes: ErrorCode[]) {
  return (error: unknown): boolean => isGridError(error, ...codes)
}

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  const iterator = source[Symbol.asyncIterator]()
  while (!(await iterator.next()).done);
}

/** A stream in pieces, as from a pipe. */
async function* cut(bytes: Uint8Array, pieceBytes = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes)
}

describe('tree store', () => {
  it('gives back files of every shape, whole and in part', async () => {
    const { trees } = (await MemoryGrid.of(10)).grid
    for (const [length, kind] of [
      [0, 'lit'],
      [64, 'lit'],
      [65, 'file'],
      [300_000, 'file'],
      [5 * mib, 'tree'],
    ] as const) {
      const bytes = content(length)
      const file = await trees.putContent({ stream: [bytes.slice()], sizeBytes: length })
      assert.equal(file.kind, kind)
      assert.equal(file.sizeBytes, length)
      assert.deepEqual(await read(trees, file), bytes)
      const start = Math.floor(length / 2)
      assert.deepEqual(
        await read(trees, file, { start, end: start + 70 }),
        bytes.subarray(start, start + 70),
      )
      await assert.rejects(read(trees, file, { start: length + 1 }), hasCode('E_USAGE'))
    }
  })

  it('bundles small files, and gives all in their order', async () => {
    const memory = await MemoryGrid.of(10)
    let puts = 0
    memory.wrap(0, (peer) => ({
      putShare: (...args) => {
        puts++
        return peer.putShare(...args)
      },
    }))
    const { trees } = memory.grid
    const lengths = [10, 70, 5000, 3 * mib, 200, mib, mib + 1, 64, 65, 40_000]
    const inputs = lengths.map((length, i) => ({
      item: i,
      input: { stream: cut(content(length, i)) },
    }))
    const results: (FileContent & { item: number; sizeBytes: number })[] = []
    for await (const result of trees.putMany(inputs)) results.push(result)
    assert.deepEqual(
      results.map(({ item }) => item),
      lengths.map((_, i) => i),
    )
    for (const result of results) {
      assert.equal(result.sizeBytes, lengths[result.item])
      assert.deepEqual(await read(trees, result), content(lengths[result.item], result.item))
    }
    const bundled = [1, 2, 4, 5, 8, 9].map((i) => results[i])
    assert.ok(bundled.every(({ kind }) => kind === 'file'))
    // one or two bundles, and the large files' extents and root
    assert.ok(puts <= 8, `${puts} objects`)
  })

  it('compresses small files if told to', async () => {
    const { trees } = (await MemoryGrid.of(10)).grid
    const bytes = utf8('the same words again and again. '.repeat(1000))
    const input = { item: 'text', input: { stream: [bytes] } }
    for await (const file of trees.putMany([input], { compress: true })) {
      assert.equal(file.kind === 'file' && file.content.compression, 'brotli')
      await file.stored
      assert.deepEqual(await read(trees, file), bytes)
      assert.deepEqual(await read(trees, file, { start: 100, end: 200 }), bytes.subarray(100, 200))
    }
  })

  it('reads small files that are open, and says when it is done with them', async () => {
    const { trees } = (await MemoryGrid.of(10)).grid
    const directory = mkdtempSync(path.join(tmpdir(), 'tree-store-'))
    const file = path.join(directory, 'file')
    writeFileSync(file, content(10_000))
    const fd = openSync(file, 'r')
    let closed = 0
    const close = (): void => {
      closed++
      closeSync(fd)
    }
    for await (const result of trees.putMany([
      { item: 1, input: { fd, sizeBytes: 10_000 }, close },
    ])) {
      await result.stored
      assert.deepEqual(await read(trees, result), content(10_000))
    }
    assert.equal(closed, 1)
    rmSync(directory, { recursive: true })
  })

  it('changes a directory of files with one more bundle', async () => {
    const memory = await MemoryGrid.of(10)
    const { trees } = memory.grid
    const names = Array.from({ length: 2000 }, (_, i) => nameOf(i))
    const base = await trees.write(async (writer) => {
      const inputs = names.map((name, i) => ({ item: name, input: { stream: [content(100, i)] } }))
      const entries: DirectoryEntry[] = []
      for await (const file of writer.putMany(inputs)) entries.push(entryOf(file.item, file))
      return writeDirectory(writer, entries)
    })
    const seen: Uint8Array[] = []
    for await (const { name } of listDirectory(trees, base)) seen.push(name)
    assert.deepEqual(seen, names.map(utf8))
    let puts = 0
    memory.wrap(0, (peer) => ({
      putShare: (...args) => {
        puts++
        return peer.putShare(...args)
      },
    }))
    const changed = await trees.write(async (writer) => {
      const file = await writer.putContent({ stream: [utf8('x'.repeat(1000))], sizeBytes: 1000 })
      const entry = entryOf(names[700], file)
      return changeDirectory(writer, base, [{ name: entry.name, entry }])
    })
    assert.equal(puts, 2)
    const found = await findEntry(trees, changed, utf8(names[700]))
    assert.equal(found?.kind, 'file')
    assert.deepEqual(await read(trees, found as FileContent), utf8('x'.repeat(1000)))
    const other = await findEntry(trees, changed, utf8(names[701]))
    const cap = formatCap(capOfEntry(other!)!)
    assert.deepEqual(await memory.get(cap), content(100, 701))
    assert.deepEqual(
      await memory.get(cap, { start: 10, end: 20 }),
      content(100, 701).subarray(10, 20),
    )
  })

  it('fetches a bundle once, whoever reads how much of it together', async () => {
    const memory = await MemoryGrid.of(3)
    const inputs = Array.from({ length: 300 }, (_, i) => ({
      item: i,
      input: { stream: [content(3000, i)] },
    }))
    const files: (FileContent & { item: number })[] = []
    for await (const file of memory.grid.trees.putMany(inputs)) files.push(file)
    let gets = 0
    for (let i = 0; i < 3; i++) {
      memory.wrap(i, (peer) => ({
        getBlocks: (...args) => {
          gets++
          return peer.getBlocks(...args)
        },
      }))
    }
    const { trees } = memory.another()
    await Promise.all(
      files.map(async (file) =>
        assert.deepEqual(await read(trees, file), content(3000, file.item)),
      ),
    )
    const together = gets
    for (const file of files) await read(trees, file)
    assert.equal(gets, together)
    assert.ok(together <= 20, `${together} requests`)
  })

  it('calls nothing stored that is on too few servers', async () => {
    const memory = await MemoryGrid.of(10)
    for (let i = 0; i < 4; i++)
      memory.wrap(i, () => ({ putShare: () => Promise.reject(new Error('no')) }))
    const { trees } = memory.grid
    const bytes = content(1000)
    await assert.rejects(trees.putContent({ stream: [bytes] }), hasCode('E_NOT_ENOUGH_SERVERS'))
    await assert.rejects(
      trees.write((writer) => writeDirectory(writer, [lit('a')])),
      hasCode('E_NOT_ENOUGH_SERVERS'),
    )
    const many = async (): Promise<void> => {
      const inputs = Array.from({ length: 100 }, (_, i) => ({
        item: i,
        input: { stream: [content(100_000, i)] },
      }))
      await drain(trees.putMany(inputs))
    }
    await assert.rejects(many(), hasCode('E_NOT_ENOUGH_SERVERS'))
  })

  it('ends when it is told to', async () => {
    const { trees } = (await MemoryGrid.of(10)).grid
    const stop = new AbortController()
    const reason = new Error('enough')
    const endless = async function* () {
      for (let i = 0; ; i++) {
        if (i === 50) stop.abort(reason)
        yield { item: i, input: { stream: [content(10_000, i)] } }
      }
    }
    await assert.rejects(async () => {
      await drain(trees.putMany(endless(), { signal: stop.signal }))
    }, reason)
  })
})
