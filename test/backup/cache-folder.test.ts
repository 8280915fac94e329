import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import { DiskCacheFolder } from '../../src/backup/memory/disk-cache-folder.ts'
import { Journal } from '../../src/backup/memory/journal.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { openDescriptors } from '../local/scratch.ts'
import { testCacheFolder } from '../suites/cache-folder.ts'
import { CrashingFolder } from './crashing-folder.ts'
import {
  allRows,
  basis,
  CountedRandom,
  described,
  fileOf,
  fingerprintOf,
  said,
  sampleRows,
  write,
} from './samples.ts'

describe('MemoryCacheFolder', () => {
  testCacheFolder(async () => new MemoryCacheFolder())
})

describe('CrashingFolder, while it stands', () => {
  testCacheFolder(async () => new CrashingFolder())
})

describe('DiskCacheFolder', () => {
  let scratch = ''
  let descriptors = 0

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'cache-folder-'))
    descriptors = openDescriptors()
  })

  afterEach(() => {
    assert.equal(openDescriptors(), descriptors)
    rmSync(scratch, { recursive: true })
  })

  testCacheFolder(() => DiskCacheFolder.open(path.join(scratch, 'above', 'cache')))

  it('lets no other user in', async () => {
    const at = path.join(scratch, 'cache')
    mkdirSync(at)
    chmodSync(at, 0o755)
    const folder = await DiskCacheFolder.open(at)
    folder.create('a').close()
    assert.equal(statSync(at).mode & 0o777, 0o700)
    assert.equal(statSync(path.join(at, 'a')).mode & 0o777, 0o600)
  })

  it('holds what a backup remembers', async () => {
    const folder = await DiskCacheFolder.open(path.join(scratch, 'cache'))
    const options = { random: new CountedRandom(), basis, described, keys: 'kept' } as const
    const rows = sampleRows()
    for (let run = 1; run <= 3; run++) {
      const memory = await BackupMemory.open(folder, options)
      assert.deepEqual(allRows(memory).map(said), run === 1 ? [] : rows)
      if (run === 1) write(memory.writer, rows)
      else for (const row of allRows(memory)) memory.writer.copy(row)
      const journal = await Journal.open(folder, options)
      journal.addFile(utf8('a'), fingerprintOf('a'), fileOf('a'))
      journal.flush()
      await memory.commit()
      await journal.discard()
      assert.deepEqual((await folder.list()).sort(), [`${run}.key`, `${run}.rows`])
    }
  })

  it('says what failed', async () => {
    const folder = await DiskCacheFolder.open(path.join(scratch, 'cache'))
    rmSync(path.join(scratch, 'cache'), { recursive: true })
    await assert.rejects(folder.list(), (error) => isGridError(error, 'E_IO'))
    await assert.rejects(folder.sync(), (error) => isGridError(error, 'E_IO'))
    assert.throws(
      () => folder.create('a'),
      (error) => isGridError(error, 'E_IO'),
    )
  })
})
