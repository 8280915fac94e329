import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { genesis, logStoreSuite, nameOf, recordOf } from '../suites/log-store.ts'

logStoreSuite('MemoryLogStore', async () => ({
  store: new MemoryLogStore(),
  close: async () => {},
}))

describe('MemoryLogStore', () => {
  it('is full at its capacity, and keeps nothing of what does not fit', async () => {
    const store = new MemoryLogStore({ capacityBytes: 300 })
    const log = await store.create(nameOf(0), genesis)
    await log.append([recordOf(1, 1)])
    const { freeBytes } = await store.space()
    const tooMuch = log.append([recordOf(1, 2), recordOf(1, 3)])
    await assert.rejects(tooMuch, (error) => isGridError(error, 'E_FULL'))
    assert.equal((await store.space()).freeBytes, freeBytes)
    assert.equal(log.chain(nameOf(1)).length, 1)
  })
})
