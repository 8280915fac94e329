import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import { sealedHeaderBytes, sealedPageBytes } from '../../src/backup/memory/cache-layout.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { concat, utf8 } from '../../src/base/bytes.ts'
import {
  allRows,
  basis,
  CountedRandom,
  described,
  directoryOf,
  entryOf,
  fileOf,
  type Row,
  sampleRows,
  write,
} from './samples.ts'

type Files = Record<string, Uint8Array>

function folderOf(files: Files): MemoryCacheFolder {
  const folder = new MemoryCacheFolder()
  for (const [name, bytes] of Object.entries(files)) folder.create(name).append(bytes)
  return folder
}

function open(files: Files): Promise<BackupMemory> {
  return BackupMemory.open(folderOf(files), {
    random: new CountedRandom(),
    basis,
    described,
    keys: 'kept',
  })
}

async function made(
  rows: readonly Row[],
  seed: string,
): Promise<{ rows: Uint8Array; key: Uint8Array }> {
  const folder = new MemoryCacheFolder()
  const random = new CountedRandom(seed)
  const memory = await BackupMemory.open(folder, { random, basis, described, keys: 'kept' })
  write(memory.writer, rows)
  await memory.commit()
  const [file, key] = ['1.rows', '1.key'].map((name) => folder.open(name)!)
  return { rows: file.read(0, file.sizeBytes), key: key.read(0, 32) }
}

/** Enough rows for some pages of them and of objects. */
function manyRows(): Row[] {
  const rows: Row[] = [{ step: 'enter', name: utf8('') }]
  for (let i = 0; i < 2000; i++)
    rows.push({ step: 'entry', entry: entryOf(`file ${i}`, fileOf(i)) })
  rows.push({ step: 'leave', directory: directoryOf('') })
  return rows
}

async function isForgotten(files: Files): Promise<void> {
  const folder = folderOf(files)
  const memory = await BackupMemory.open(folder, {
    random: new CountedRandom(),
    basis,
    keys: 'kept',
  })
  assert.notEqual(memory.forgotten, undefined)
  assert.equal(memory.rows(), undefined)
  assert.deepEqual(await folder.list(), [])
}

describe('a damaged cache', () => {
  it('is forgotten whichever byte of it is another', async () => {
    const { rows, key } = await made(sampleRows(), 'one')
    for (let at = 0; at < rows.length; at++) {
      const bad = rows.slice()
      bad[at] ^= 1 << (at % 8)
      await isForgotten({ '1.rows': bad, '1.key': key })
    }
    for (let at = 0; at < key.length; at++) {
      const bad = key.slice()
      bad[at] ^= 0x80
      await isForgotten({ '1.rows': rows, '1.key': bad })
    }
  })

  it('is forgotten wherever it is cut, and if anything follows it', async () => {
    const { rows, key } = await made(sampleRows(), 'one')
    for (let end = 0; end < rows.length; end++)
      await isForgotten({ '1.rows': rows.subarray(0, end), '1.key': key })
    for (const more of [1, 16, 48, 1000])
      await isForgotten({ '1.rows': concat(rows, new Uint8Array(more)), '1.key': key })
    for (let end = 0; end < key.length; end++)
      await isForgotten({ '1.rows': rows, '1.key': key.subarray(0, end) })
    await isForgotten({ '1.key': key })
    await isForgotten({ '1.rows': rows })
  })

  it('is forgotten if pages are cut off, swapped, repeated, or of another run', async () => {
    const { rows, key } = await made(manyRows(), 'one')
    const other = await made(manyRows(), 'two')
    assert.equal((await open({ '1.rows': rows, '1.key': key })).forgotten, undefined)
    assert.ok(rows.length > sealedHeaderBytes + 4 * sealedPageBytes)
    const page = (from: Uint8Array, number: number): Uint8Array => {
      const start = sealedHeaderBytes + (number - 1) * sealedPageBytes
      return from.slice(start, start + sealedPageBytes)
    }
    const withPage = (number: number, bytes: Uint8Array): Uint8Array => {
      const bad = rows.slice()
      bad.set(bytes, sealedHeaderBytes + (number - 1) * sealedPageBytes)
      return bad
    }
    const bads = [
      withPage(1, page(rows, 2)),
      withPage(2, page(rows, 1)),
      withPage(1, page(other.rows, 1)),
      concat(other.rows.subarray(0, sealedHeaderBytes), rows.subarray(sealedHeaderBytes)),
      concat(rows.subarray(0, -48), other.rows.subarray(-48)),
      rows.subarray(0, sealedHeaderBytes + sealedPageBytes),
      concat(rows.subarray(0, sealedHeaderBytes + sealedPageBytes), rows.subarray(-48)),
      concat(rows.subarray(0, -48), new Uint8Array(1), rows.subarray(-48)),
      concat(
        rows.subarray(0, sealedHeaderBytes),
        rows.subarray(sealedHeaderBytes + sealedPageBytes),
      ),
    ]
    for (const bad of bads) await isForgotten({ '1.rows': bad, '1.key': key })
    await isForgotten({ '1.rows': other.rows, '1.key': key })
  })

  it('counts for less than a later one that is whole', async () => {
    const one = await made(sampleRows(), 'one')
    const two = await made(manyRows(), 'two')
    const files = { '9.rows': one.rows, '9.key': one.key, '10.rows': two.rows, '10.key': two.key }
    const folder = folderOf(files)
    const random = new CountedRandom('three')
    const memory = await BackupMemory.open(folder, { random, basis, described, keys: 'kept' })
    assert.equal(allRows(memory).length, manyRows().length)
    assert.deepEqual((await folder.list()).sort(), ['10.key', '10.rows'])
  })

  it('gives way to the one before, if that is still there', async () => {
    const one = await made(sampleRows(), 'one')
    const two = await made(manyRows(), 'two')
    two.rows[100] ^= 1
    const files = { '1.rows': one.rows, '1.key': one.key, '2.rows': two.rows, '2.key': two.key }
    const memory = await open(files)
    assert.equal(memory.forgotten, undefined)
    assert.equal(allRows(memory).length, sampleRows().length)
  })

  it('is told from one of other circumstances, which stays until another takes its place', async () => {
    const { rows, key } = await made(sampleRows(), 'one')
    const folder = folderOf({ '1.rows': rows, '1.key': key })
    const random = new CountedRandom('three')
    for (const options of [
      { basis: new Uint8Array(32), described, keys: 'kept' },
      { basis, described, keys: 'none' },
    ] as const) {
      const memory = await BackupMemory.open(folder, { random, ...options })
      assert.equal(memory.forgotten, 'other')
      assert.equal(memory.rows(), undefined)
      assert.equal((await folder.list()).length, 2)
    }
    const memory = await BackupMemory.open(folder, { random, basis, described, keys: 'none' })
    write(memory.writer, sampleRows())
    await memory.commit()
    assert.deepEqual((await folder.list()).sort(), ['2.key', '2.rows'])
  })
})
