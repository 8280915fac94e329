import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'
import { SystemClock } from '../../../src/base/clock.ts'
import { type DiskFile, SystemDisk } from '../../../src/base/disk.ts'
import { soleWriter } from '../../../src/storage/disk-store.ts'
import { DiskHoldJournal } from '../../../src/storage/holds/disk-hold-journal.ts'
import { refused } from '../../suites/storage-peer.ts'

/** Makes files, and has no room for a byte in them. */
class FullDisk extends SystemDisk {
  override async create(at: string): Promise<DiskFile> {
    const file = await super.create(at)
    file.write = () => Promise.reject(Object.assign(new Error('planned'), { code: 'ENOSPC' }))
    return file
  }
}

describe('DiskHoldJournal on a full disk', () => {
  it('leaves no segment that it could not begin, however often it is asked', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-journal-'))
    try {
      const [disk, clock] = [new FullDisk(), new SystemClock()]
      const parts = { disk, directory, clock, writers: soleWriter }
      const journal = await DiskHoldJournal.open(parts)
      for (let i = 0; i < 3; i++) await refused(journal.begin(), 'E_FULL')
      assert.deepEqual(await readdir(directory), [])
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
