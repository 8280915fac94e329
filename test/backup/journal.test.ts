import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { CacheFolder } from '../../src/backup/cache-folder.ts'
import { Journal, type JournalOptions } from '../../src/backup/journal.ts'
import { MemoryCacheFolder } from '../../src/backup/memory-cache-folder.ts'
import { utf8 } from '../../src/base/bytes.ts'
import {
  basis,
  CountedRandom,
  fileOf,
  fingerprintOf,
  known,
  literalOf,
  streamOf,
  treeOf,
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
})
