import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import { CacheReader } from '../../src/backup/memory/cache-reader.ts'
import { Journal } from '../../src/backup/memory/journal.ts'
import { JournalSegment } from '../../src/backup/memory/journal-segment.ts'
import type { CachedKeys } from '../../src/backup/memory/cached-keys.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { concat, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import {
  allRows,
  basis,
  bytesOf,
  CountedRandom,
  described,
  fingerprintOf,
  known,
  sampleRows,
  streamOf,
  treeOf,
  fileOf,
  literalOf,
  write,
} from './samples.ts'

/** Every read key of the sample, and the bytes of its literal. */
const secrets = [
  ...['a', 'd', 'f', 'd extent 0', 'd extent 1', 'd extent 2'].map((seed) =>
    bytesOf(`key ${seed}`, 32),
  ),
  ...['c', ''].map((name) => bytesOf(`dir key ${name}`, 32)),
  utf8('hello'),
]

async function memoryOf(
  keys: CachedKeys,
): Promise<{ folder: MemoryCacheFolder; memory: BackupMemory }> {
  const folder = new MemoryCacheFolder()
  const options = { random: new CountedRandom(), basis, described, keys }
  const memory = await BackupMemory.open(folder, options)
  write(memory.writer, sampleRows())
  await memory.commit()
  return { folder, memory: await BackupMemory.open(folder, options) }
}

/** All rows of the cache as they lie in its pages. */
function pagesOf(folder: MemoryCacheFolder): Uint8Array {
  const key = folder.open('1.key')!.read(0, 32)
  const reader = CacheReader.open(folder.open('1.rows')!, key)!
  return concat(...Array.from({ length: reader.lastPage }, (_, i) => reader.page(i + 1)))
}

/** All records of the journal, likewise. */
function recordsOf(folder: MemoryCacheFolder, keys: CachedKeys): Uint8Array {
  const records: Uint8Array[] = []
  JournalSegment.open(folder, 1, { basis, described, keys }, (_, __, bytes) => records.push(bytes))
  return concat(...records)
}

function holds(all: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(all).includes(Buffer.from(part))
}

describe('a cache without keys', () => {
  it('holds no key, no beginning of one, and no content', async () => {
    const kept = pagesOf((await memoryOf('kept')).folder)
    const none = pagesOf((await memoryOf('none')).folder)
    for (const secret of secrets) {
      assert.ok(holds(kept, secret))
      assert.ok(!holds(none, secret.subarray(0, 5)))
      assert.ok(!holds(none, secret.subarray(-5)))
    }
  })

  it('knows streams by tag, to be checked by the key that their content gives', async () => {
    const { memory } = await memoryOf('none')
    for (const seed of ['a', 'f', 'd extent 2']) {
      const stream = streamOf(seed)
      const found = memory.known(stream.tag)
      const expected = { ...known(stream), readKey: undefined }
      assert.deepEqual({ ...found, object: 0 }, { ...expected, object: 0 })
    }
  })

  it('gives no content and no directories, and what was touched', async () => {
    const { memory } = await memoryOf('none')
    const rows = allRows(memory)
    assert.ok(rows.every((row) => !row.hasContent && row.content() === undefined))
    assert.throws(
      () => rows[6].directory(),
      (error) => isGridError(error, 'E_CACHE'),
    )
    assert.ok(rows[1].matches(fingerprintOf('a')))
  })

  it('counts the objects that are named as one with keys does', async () => {
    const objects = (memory: BackupMemory): unknown[] => {
      for (const row of allRows(memory)) memory.writer.copy(row)
      return [...memory.objects]
    }
    assert.deepEqual(
      objects((await memoryOf('none')).memory),
      objects((await memoryOf('kept')).memory),
    )
  })
})

describe('a journal without keys', () => {
  async function journalOf(
    keys: CachedKeys,
  ): Promise<{ folder: MemoryCacheFolder; journal: Journal }> {
    const folder = new MemoryCacheFolder()
    const options = { random: new CountedRandom(), basis, described, keys }
    const journal = await Journal.open(folder, options)
    const now = fingerprintOf('now')
    journal.addFile(utf8('path-a'), now, fileOf('a'))
    journal.addFile(utf8('path-b'), now, literalOf('hello'))
    journal.addFile(utf8('path-d'), now, treeOf('d', 3))
    journal.addExtent(utf8('path-f'), now, 0, streamOf('f'))
    journal.flush()
    return { folder, journal: await Journal.open(folder, options) }
  }

  it('holds no key, no content and no path', async () => {
    const kept = recordsOf((await journalOf('kept')).folder, 'kept')
    const none = recordsOf((await journalOf('none')).folder, 'none')
    const inJournal = secrets.filter((secret) => holds(kept, secret))
    assert.equal(inJournal.length, secrets.length - 2)
    for (const secret of [
      ...inJournal,
      ...['a', 'b', 'd', 'f'].map((name) => utf8(`path-${name}`)),
    ]) {
      assert.ok(holds(kept, secret))
      assert.ok(!holds(none, secret.subarray(0, 5)))
    }
  })

  it('only knows streams by tag', async () => {
    const { journal } = await journalOf('none')
    const now = fingerprintOf('now')
    assert.equal(journal.find(utf8('path-a'), now), undefined)
    assert.deepEqual(journal.extentsOf(utf8('path-f'), now), [])
    for (const seed of ['a', 'f', 'd extent 1'])
      assert.deepEqual(journal.known(streamOf(seed).tag), {
        ...known(streamOf(seed)),
        readKey: undefined,
      })
  })
})
