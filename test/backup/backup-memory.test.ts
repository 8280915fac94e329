import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { BackupMemory, type MemoryOptions } from '../../src/backup/backup-memory.ts'
import type { CacheFolder } from '../../src/backup/cache-folder.ts'
import { MemoryCacheFolder } from '../../src/backup/memory-cache-folder.ts'
import type { StoredRow } from '../../src/backup/stored-row.ts'
import {
  basis,
  CountedRandom,
  entryOf,
  fingerprintOf,
  known,
  type Row,
  said,
  sampleRows,
  streamOf,
  write,
} from './samples.ts'

const random = new CountedRandom()

function open(folder: CacheFolder, options: Partial<MemoryOptions> = {}): Promise<BackupMemory> {
  return BackupMemory.open(folder, { random, basis, described: basis, keys: 'kept', ...options })
}

async function remember(folder: CacheFolder, rows: readonly Row[]): Promise<void> {
  const memory = await open(folder)
  write(memory.writer, rows)
  await memory.commit()
}

function rowsOf(memory: BackupMemory): StoredRow[] {
  const rows = memory.rows()
  const all: StoredRow[] = []
  for (; rows?.row !== undefined; rows.advance()) all.push(rows.row)
  return all
}

describe('BackupMemory', () => {
  it('has nothing to begin with', async () => {
    const memory = await open(new MemoryCacheFolder())
    assert.equal(memory.forgotten, 'none')
    assert.equal(memory.rows(), undefined)
    assert.equal(memory.known(streamOf('a').tag), undefined)
  })

  it('gives back the rows of the last run', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    assert.equal(memory.forgotten, undefined)
    assert.deepEqual(rowsOf(memory).map(said), sampleRows())
    assert.deepEqual((await folder.list()).sort(), ['1.key', '1.rows'])
  })

  it('copies rows as they are, and keeps only the objects that are named', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    const rows = rowsOf(memory)
    for (const row of rows)
      if (said(row).step !== 'entry' || row.name[0] !== 0x64) memory.writer.copy(row)
    const { count } = memory.objects
    await memory.commit()
    const next = await open(folder)
    const expected = sampleRows().filter(
      (row) => row.step !== 'entry' || row.entry.name[0] !== 0x64,
    )
    assert.deepEqual(rowsOf(next).map(said), expected)
    assert.equal(count, 3)
    assert.deepEqual((await folder.list()).sort(), ['2.key', '2.rows'])
  })

  it('knows streams by their tags, old and new', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    const extent = streamOf('d extent 2')
    assert.deepEqual(memory.known(extent.tag), known(extent))
    assert.equal(memory.known(streamOf('new').tag), undefined)
    const content = streamOf('new')
    memory.writer.enter(new Uint8Array(0))
    const { tag, ...rest } = content
    memory.writer.entry(
      entryOf('new', { kind: 'file', content: rest, tag, sizeBytes: 1000, extents: [], nodes: [] }),
    )
    assert.deepEqual(memory.known(tag), known(content))
  })

  it('tells what was touched', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const rows = rowsOf(await open(folder))
    assert.ok(rows[1].matches(fingerprintOf('a')))
    assert.ok(!rows[1].matches(fingerprintOf('a'), 0))
    assert.ok(!rows[1].matches(fingerprintOf('b')))
    assert.ok(rows[2].matches(fingerprintOf('b'), 2 ** 53 - 1))
    assert.ok(rows[5].matches(fingerprintOf('e'), 0))
    assert.ok(!rows[5].matches(fingerprintOf('e')))
    assert.ok(!rows[4].matches(fingerprintOf('d')))
    assert.ok(rows[6].matches(fingerprintOf('c')))
  })
})
