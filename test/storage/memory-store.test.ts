import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { indexOf, putBytes, readBytes, shareStoreSuite } from '../suites/share-store.ts'

shareStoreSuite('MemoryStore', async () => ({ store: new MemoryStore(), close: async () => {} }))

describe('MemoryStore', () => {
  const bytes = new Uint8Array(100)

  it('is full at its capacity, and has room again for what was given up', async () => {
    const store = new MemoryStore({ capacityBytes: 150 })
    const writer = await store.create(indexOf(0), 0, 100)
    await writer.write([bytes])
    assert.deepEqual(await store.space(), { freeBytes: 50, totalBytes: 150 })
    const second = await store.create(indexOf(0), 1, 100)
    await second.write([bytes.subarray(50)])
    await assert.rejects(second.write([bytes.subarray(99)]), (error) =>
      isGridError(error, 'E_FULL'),
    )
    await second.abort()
    await writer.abort()
    await putBytes(store, indexOf(0), 2, bytes)
    assert.deepEqual(await store.space(), { freeBytes: 50, totalBytes: 150 })
  })

  it('gives back the room of a share that is replaced', async () => {
    const store = new MemoryStore({ capacityBytes: 200 })
    for (let round = 0; round < 5; round++) await putBytes(store, indexOf(0), 0, bytes)
    assert.equal((await store.space()).freeBytes, 100)
    assert.deepEqual(await readBytes(store, indexOf(0), 0), bytes)
  })
})
