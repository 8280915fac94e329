import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'
import { concat, u32be } from '../../../src/base/bytes.ts'
import { accountHolder, unheld, withHold } from '../../../src/storage/holds/held-object.ts'
import { LmdbHoldIndex } from '../../../src/storage/holds/lmdb-hold-index.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { native } from '../../local/scratch.ts'
import { holdIndexSuite } from '../../suites/hold-index.ts'
import { indexOf } from '../../suites/share-store.ts'

holdIndexSuite('MemoryHoldIndex', async () => ({
  index: new MemoryHoldIndex(),
  close: async () => {},
}))

holdIndexSuite('LmdbHoldIndex', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'grid-index-'))
  const index = await LmdbHoldIndex.open(directory, { isSound: true })
  const close = async (): Promise<void> => {
    await index.close()
    await rm(directory, { recursive: true })
  }
  return { index, close }
})

describe('LmdbHoldIndex', () => {
  it('makes anew what cannot be opened', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-index-'))
    try {
      await writeFile(path.join(directory, 'data.mdb'), new Uint8Array(20_000).fill(7))
      const index = await LmdbHoldIndex.open(directory, { isSound: true })
      assert.deepEqual(index.holders(), [])
      await index.close()
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  const account = accountHolder(new Uint8Array(32).fill(5))
  const object = withHold(unheld, { holder: account, payer: undefined, touchedMs: 5, expiresMs: 0 })

  it('keeps all when it is closed and opened, and nothing where it cannot be believed', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-index-'))
    try {
      const first = await LmdbHoldIndex.open(directory, { isSound: true })
      await first.change((writer) => {
        writer.setObject(indexOf(1), object)
        writer.setComplete(true)
      })
      await first.close()
      const second = await LmdbHoldIndex.open(directory, { isSound: true })
      assert.deepEqual(second.object(indexOf(1)), object)
      assert.equal(second.isComplete, true)
      await second.close()
      const third = await LmdbHoldIndex.open(directory, { isSound: false })
      assert.equal(third.object(indexOf(1)), undefined)
      assert.equal(third.isComplete, false)
      await third.close()
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  const untold = native === undefined ? ' [NOT TESTED HERE: no adapter]' : ''
  it(`takes little of the memory of its process, however large it is${untold}`, async () => {
    if (native === undefined) return
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-index-'))
    const mappedBytes = async (forgetMapped?: (path: string) => void): Promise<number> => {
      const index = await LmdbHoldIndex.open(directory, { isSound: true, forgetMapped })
      await index.change((writer) => {
        for (let i = 0; i < 40_000; i++)
          writer.setObject(concat(u32be(i), new Uint8Array(16)), object)
      })
      let after: Uint8Array | undefined
      for (let complete = false; !complete;) {
        const page = index.page({ after, limit: 1024 })
        complete = page.complete
        after = page.objects.at(-1)?.storageIndex
      }
      const maps = await readFile('/proc/self/smaps', 'utf8')
      await index.close()
      const [, kib] =
        /data\.mdb\n(?:.*\n)*?Rss: +(\d+) kB/.exec(maps.slice(maps.indexOf(directory))) ?? []
      return Number(kib) * 1024
    }
    try {
      const plain = await mappedBytes()
      const { size } = await stat(path.join(directory, 'data.mdb'))
      assert.ok(plain > size / 2, `${plain} of ${size}`)
      const sparing = await mappedBytes((file) => native?.forgetMapped(file))
      assert.ok(sparing < plain / 2, `${sparing}, otherwise ${plain}`)
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
