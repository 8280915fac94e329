import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import type { CacheFolder } from '../../src/backup/memory/cache-folder.ts'
import { Journal, type JournalOptions } from '../../src/backup/memory/journal.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import {
  basis,
  CountedRandom,
  described,
  fileOf,
  fingerprintOf,
  known,
  literalOf,
  sampleRows,
  streamOf,
  treeOf,
  write,
} from './samples.ts'

const random = new CountedRandom('journal')

function open(folder: CacheFolder, options: Partial<JournalOptions> = {}): Promise<Journal> {
  return Journal.open(folder, { random, basis, keys: 'kept', ...options })
}

const [a, b, c, d] = ['a', 'b', 'c/d', 'e'].map(utf8)
const now = fingerprintOf('now')

async function journalOf(folder: CacheFolder): Promise<void> {
  const journal = await open(folder)
  journal.addFile(a, now, fileOf('a'))
  journal.addFile(b, now, literalOf('hello'))
  journal.addExtent(c, now, 1, streamOf('c 1'))
  journal.addExtent(c, now, 0, streamOf('c 0'))
  journal.addExtent(c, now, 3, streamOf('c 3'))
  journal.addFile(d, now, treeOf('d', 3))
  journal.flush()
}

describe('Journal', () => {
  it('gives the next session what was stored', async () => {
    const folder = new MemoryCacheFolder()
    await journalOf(folder)
    const journal = await open(folder)
    assert.deepEqual(journal.find(a, now), fileOf('a'))
    assert.deepEqual(journal.find(b, now), literalOf('hello'))
    assert.deepEqual(journal.find(d, now), treeOf('d', 3))
    assert.equal(journal.find(c, now), undefined)
    assert.equal(journal.find(a, fingerprintOf('then')), undefined)
    assert.deepEqual(journal.extentsOf(c, now), [streamOf('c 0'), streamOf('c 1')])
    assert.deepEqual(journal.extentsOf(c, fingerprintOf('then')), [])
    for (const stream of [streamOf('a'), streamOf('c 3'), streamOf('d extent 2')])
      assert.deepEqual(journal.known(stream.tag), known(stream))
    assert.equal(journal.known(streamOf('b').tag), undefined)
  })

  it('goes on over several sessions, and the last word counts', async () => {
    const folder = new MemoryCacheFolder()
    await journalOf(folder)
    const then = fingerprintOf('later')
    const second = await open(folder)
    second.addFile(a, then, fileOf('a2'))
    second.addExtent(c, now, 2, streamOf('c 2'))
    second.close()
    const third = await open(folder)
    assert.equal(third.find(a, now), undefined)
    assert.deepEqual(third.find(a, then), fileOf('a2'))
    const extents = [0, 1, 2, 3].map((i) => streamOf(`c ${i}`))
    assert.deepEqual(third.extentsOf(c, now), extents)
    third.addFile(c, now, treeOf('c', 4))
    third.close()
    const fourth = await open(folder)
    assert.deepEqual(fourth.extentsOf(c, now), [])
    assert.deepEqual(fourth.find(c, now), treeOf('c', 4))
  })

  it('drops extents of a file as it was before', async () => {
    const folder = new MemoryCacheFolder()
    await journalOf(folder)
    const then = fingerprintOf('later')
    const second = await open(folder)
    second.addExtent(c, then, 1, streamOf('other 1'))
    second.close()
    const third = await open(folder)
    assert.deepEqual(third.extentsOf(c, now), [streamOf('c 0')])
    assert.deepEqual(third.extentsOf(c, then), [])
  })

  it('ends where it is torn, and all before counts', async () => {
    const folder = new MemoryCacheFolder()
    const journal = await open(folder)
    const ends: number[] = []
    for (let i = 0; i < 5; i++) {
      journal.addFile(utf8(`${i}`), now, fileOf(i))
      journal.flush()
      ends.push(folder.open('1.journal')!.sizeBytes)
    }
    const bytes = bytesIn(folder, '1.journal')
    const key = bytesIn(folder, '1.journal.key')
    for (let end = 0; end < bytes.length; end++) {
      const whole = ends.filter((each) => each <= end).length
      await assertFound(folderOf(bytes.subarray(0, end), key), whole)
    }
    for (let at = 0; at < bytes.length; at++) {
      const bad = bytes.slice()
      bad[at] ^= 1 << (at % 8)
      await assertFound(folderOf(bad, key), ends.filter((each) => each <= at).length)
    }
    await assertFound(folderOf(bytes, key), 5)
    await assertFound(folderOf(bytes, key.subarray(1)), 0)
  })

  async function assertFound(folder: CacheFolder, count: number): Promise<void> {
    const journal = await open(folder)
    const found = [0, 1, 2, 3, 4].map((i) => journal.find(utf8(`${i}`), now))
    assert.deepEqual(
      found,
      [0, 1, 2, 3, 4].map((i) => (i < count ? fileOf(i) : undefined)),
    )
    // and it can be gone on with
    journal.addFile(utf8('more'), now, fileOf('more'))
    journal.close()
    assert.deepEqual((await open(folder)).find(utf8('more'), now), fileOf('more'))
  }

  it('writes once 64 KiB or 16 MiB of content wait, and when told to', async () => {
    const folder = new MemoryCacheFolder()
    const journal = await open(folder)
    journal.addFile(a, now, fileOf('a'))
    assert.deepEqual(await folder.list(), [])
    for (let i = 0; i < 600; i++) journal.addFile(utf8(`${i}`), now, fileOf(i))
    assert.equal((await folder.list()).length, 2)
    assert.deepEqual((await open(folder)).find(a, now), fileOf('a'))
    journal.flush()
    const extent = { ...streamOf('large'), plaintextBytes: 4 * 2 ** 20 }
    const before = folder.open('1.journal')!.sizeBytes
    for (let i = 0; i < 3; i++) journal.addExtent(c, now, i, extent)
    assert.equal(folder.open('1.journal')!.sizeBytes, before)
    journal.addExtent(c, now, 3, extent)
    assert.ok(folder.open('1.journal')!.sizeBytes > before)
  })

  it('takes more than memory holds at once', async () => {
    const folder = new MemoryCacheFolder()
    const journal = await open(folder)
    for (let i = 0; i < 10_000; i++) journal.addFile(utf8(`${i}`), now, fileOf(i))
    journal.addFile(d, now, treeOf('d', 2000, 3))
    journal.close()
    const next = await open(folder)
    for (let i = 0; i < 10_000; i += 7) {
      assert.deepEqual(next.find(utf8(`${i}`), now), fileOf(i))
      assert.deepEqual(next.known(streamOf(i).tag), known(streamOf(i)))
    }
    assert.deepEqual(next.find(d, now), treeOf('d', 2000, 3))
  })

  it('is gone with all its keys once it is discarded', async () => {
    const folder = new MemoryCacheFolder()
    await journalOf(folder)
    const journal = await open(folder)
    journal.addFile(a, now, fileOf('a'))
    journal.flush()
    const held = [1, 2].map((n) => folder.open(`${n}.journal.key`)!)
    await journal.discard()
    assert.deepEqual(await folder.list(), [])
    for (const key of held) assert.deepEqual(key.read(0, 32), new Uint8Array(32))
    assert.ok((await open(folder)).isEmpty)
  })

  it('is not taken for that of another basis, or another way with keys', async () => {
    for (const options of [{ basis: new Uint8Array(32) }, { keys: 'none' }] as const) {
      const folder = new MemoryCacheFolder()
      await journalOf(folder)
      const journal = await open(folder, options)
      assert.ok(journal.isEmpty)
      assert.equal(journal.find(a, now), undefined)
      assert.deepEqual(await folder.list(), [])
    }
  })

  it('says once that it cannot write, and lets the run go on', async () => {
    const folder = new MemoryCacheFolder()
    folder.create = () => {
      throw new GridError('E_FULL', 'no room')
    }
    const journal = await open(folder)
    journal.addFile(a, now, fileOf('a'))
    assert.throws(
      () => journal.flush(),
      (error) => isGridError(error, 'E_FULL'),
    )
    journal.addFile(b, now, fileOf('b'))
    journal.flush()
    journal.close()
    assert.deepEqual(await folder.list(), [])
  })

  it('writes nothing any more once it was closed', async () => {
    const folder = new MemoryCacheFolder()
    const journal = await open(folder)
    journal.close()
    journal.addFile(a, now, fileOf('a'))
    journal.flush()
    assert.deepEqual(await folder.list(), [])
  })

  it('is no part of what a run remembers, and stays when one is opened', async () => {
    const folder = new MemoryCacheFolder()
    await journalOf(folder)
    const memory = await BackupMemory.open(folder, { random, basis, described, keys: 'kept' })
    assert.equal(memory.forgotten, 'none')
    write(memory.writer, sampleRows())
    await memory.commit()
    assert.deepEqual((await open(folder)).find(a, now), fileOf('a'))
  })
})

function bytesIn(folder: CacheFolder, name: string): Uint8Array {
  const file = folder.open(name)!
  return file.read(0, file.sizeBytes)
}

function folderOf(journal: Uint8Array, key: Uint8Array): CacheFolder {
  const folder = new MemoryCacheFolder()
  folder.create('1.journal').append(journal)
  folder.create('1.journal.key').append(key)
  return folder
}
