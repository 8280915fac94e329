import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import { DiskSweepMemory } from '../../../src/storage/holds/sweep-memory.ts'

describe('DiskSweepMemory', () => {
  it('keeps the last look at the clock, and takes a damaged one for none', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-sweep-'))
    try {
      const memory = new DiskSweepMemory(new SystemDisk(), directory)
      assert.equal(await memory.lastLook(), undefined)
      const look = { wallMs: 1_700_000_000_000, steadyMs: 5 }
      await memory.see(look)
      assert.deepEqual(await new DiskSweepMemory(new SystemDisk(), directory).lastLook(), look)
      await writeFile(path.join(directory, 'clock'), new Uint8Array(15))
      assert.equal(await memory.lastLook(), undefined)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
