/** What snapshots stand on, some of them by whoever has taken a machine over. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { indexKey } from '../../../src/backup/prune/index-set.ts'
import { mark } from '../../../src/backup/prune/mark.ts'
import { GridError } from '../../../src/base/errors.ts'
import { verifyKeyOf } from '../../../src/caps/keys.ts'
import { storageIndexOf } from '../../../src/encoding/descriptor.ts'
import { writeDirectory } from '../../../src/tree/directory-writer.ts'
import { LoneNodes } from '../../../src/tree/node-sink.ts'
import type { VerifyName } from '../../../src/tree/verify-walk.ts'
import { bundled, keys } from '../../tree/entries.ts'
import { MemoryObjects } from '../../tree/memory-objects.ts'

/** A directory of one file, of which it says so much. */
async function snapshotOf(
  objects: MemoryObjects,
  said: { n?: number; ciphertextBytes?: number } = {},
): Promise<VerifyName> {
  const file = bundled('f', 1)
  const object = { ...file.content.object, ...said }
  const { readKey, ...node } = await writeDirectory({ keys, sink: new LoneNodes(objects.store) }, [
    { ...file, content: { ...file.content, object } },
  ])
  return { object: node.object, offset: node.offset, verifyKey: verifyKeyOf(readKey) }
}

describe('mark', () => {
  it('goes by the most shares that any snapshot says an object has', async () => {
    const objects = new MemoryObjects()
    const tops = [{ n: 3 }, {}, { n: 4 }]
    const key = indexKey(storageIndexOf(bundled('f', 1).content.object.root))
    const marked = await mark(
      objects,
      await Promise.all(
        tops.map(async (said, i) => ({ name: `s${i}`, top: await snapshotOf(objects, said) })),
      ),
    )
    assert.equal(marked.objects.get(key), 10)
    assert.equal(marked.objects.size, 4)
    // the file counts for the first that stands on it, once
    const [first, ...others] = marked.newBytes
    assert.ok(first > 4 * 2 ** 20 && others.every((bytes) => bytes < 2 ** 20))
  })

  it('ends with the snapshot that cannot be read, wherever that happens', async () => {
    const objects = new MemoryObjects()
    const tops = [
      { name: 'one', top: await snapshotOf(objects) },
      { name: 'two', top: await snapshotOf(objects, { n: 4 }) },
    ]
    let reads = 0
    const failing = {
      readSlice: (...args: Parameters<MemoryObjects['readSlice']>) => {
        if (++reads === 3) throw new GridError('E_NOT_ENOUGH_SHARES', 'gone')
        return objects.readSlice(...args)
      },
    }
    await assert.rejects(mark(failing, tops), (error: GridError) => {
      return error.code === 'E_NOT_ENOUGH_SHARES' && error.facts.snapshot === 'two'
    })
  })
})
