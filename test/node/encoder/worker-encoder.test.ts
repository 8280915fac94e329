import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'

/** Begins on a job, closes while its reply is under way, and says so when that is done. */
const program = `
const { WorkerEncoder } = await import(process.argv[2])
const encoder = new WorkerEncoder({ threads: 1 })
const settings = { secret: new Uint8Array(32).fill(1), coding: { k: 3, n: 10 }, profile: 'cdc' }
const extent = await encoder.cut({ bytes: new Uint8Array(100) }, settings)
encoder.encode(extent, settings).catch(() => {})
await encoder.cut({ bytes: new Uint8Array(0) }, settings).catch(() => {})
await encoder.close()
console.log('closed')
`

describe('WorkerEncoder', () => {
  it('closes before the process ends, with a job under way too', async () => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-encoder-'))
    try {
      const file = path.join(directory, 'program.mjs')
      await fs.writeFile(file, program)
      const encoder = path.resolve(
        import.meta.dirname,
        '../../../src/node/encoder/worker-encoder.js',
      )
      for (let i = 0; i < 5; i++) {
        const words = [file, encoder]
        const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' })
        assert.deepEqual([status, stdout], [0, 'closed\n'])
      }
    } finally {
      await fs.rm(directory, { recursive: true })
    }
  })
})
