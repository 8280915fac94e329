import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import {
  diskScrubRecord,
  memoryScrubRecord,
  noCounts,
  type ScrubState,
} from '../../../src/storage/scrub/scrub-state.ts'

const state: ScrubState = {
  doneMs: 1000,
  roundFromMs: 10,
  round: { ...noCounts, checked: 3 },
  pass: {
    ...noCounts,
    span: { fromMs: 1000, toMs: 2000 },
    forced: true,
    after: 'x.1',
    again: ['y.2'],
  },
  lastFull: { ...noCounts, startedMs: 5, endedMs: 9, damaged: 1 },
}

describe('scrub record', () => {
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-scrub-'))
  })

  afterEach(() => rm(root, { recursive: true }))

  it('gives back what was saved last, in memory and on disk', async () => {
    for (const record of [memoryScrubRecord(), diskScrubRecord({ disk: new SystemDisk(), root })]) {
      assert.equal(await record.load(), undefined)
      await record.save({ ...state, doneMs: 1 })
      await record.save(state)
      assert.deepEqual(await record.load(), state)
      const bare = { ...state, pass: undefined, lastFull: undefined }
      await record.save(bare)
      assert.deepEqual(await record.load(), bare)
    }
  })

  it('takes a file with any byte changed, or cut anywhere, for none', async () => {
    const record = diskScrubRecord({ disk: new SystemDisk(), root })
    await record.save(state)
    const bytes = await readFile(path.join(root, 'scrub'))
    for (let i = 0; i < bytes.length - 1; i++) {
      const changed = Uint8Array.from(bytes)
      changed[i] ^= 1
      await writeFile(path.join(root, 'scrub'), i % 2 === 0 ? changed : bytes.subarray(0, i))
      assert.equal(await record.load(), undefined, `byte ${i}`)
    }
  })

  it('is not held up by what a crash left', async () => {
    await writeFile(path.join(root, 'scrub.new'), 'half')
    const record = diskScrubRecord({ disk: new SystemDisk(), root })
    await record.save(state)
    assert.deepEqual(await record.load(), state)
  })
})
