import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { SystemRandom } from '../../../src/base/random.ts'
import { leavingEndsMs, nobody } from '../../../src/storage/holds/held-object.ts'
import { NoHoldJournal } from '../../../src/storage/holds/hold-journal.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { putObjectShare } from '../../suites/storage-peer.ts'

/** Begins for as many as are expected at once, and counts what it was asked to sync. */
class SlowJournal extends NoHoldJournal {
  expected = 1
  syncCount = 0
  readonly #waiting: (() => void)[] = []

  override async begin(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length >= this.expected) for (const go of this.#waiting.splice(0)) go()
    })
  }

  override async append(
    records: readonly HoldRecord[] = [],
    { durable } = { durable: false },
  ): Promise<void> {
    if (durable && records.length > 0) this.syncCount++
  }
}

describe('holds that may have been lost', () => {
  const object = makeObject()
  const { storageIndex } = object
  const clock = new MovedClock()
  const store = new MemoryStore()

  function serverWith(holds: OpenHolds, shares = new MemoryStore()): LocalPeer {
    const parts = { open: async () => holds, random: new SystemRandom() }
    return new LocalPeer({ id: 'server', store: shares, clock, reserveBytes: 0, holds: parts })
  }

  it('are durable before the second of two is told that its share of an object is stored', async () => {
    const journal = new SlowJournal()
    const server = serverWith({ ...(await memoryHolds()), journal })
    journal.expected = 2
    await Promise.all([
      putObjectShare(asClient(server, 'one'), object, 0),
      putObjectShare(asClient(server, 'two'), object, 1),
    ])
    assert.equal(journal.syncCount, 1)
  })

  it('keep without an end what a client without an account finds without a hold', async () => {
    const holds = await memoryHolds()
    await putObjectShare(new LocalPeer({ id: 'server', store, clock, reserveBytes: 0 }), object, 0)
    const server = serverWith(holds, store)
    assert.deepEqual(await asClient(server, 'one').touch([storageIndex]), ['held'])
    const found = holds.index.object(storageIndex)?.holds.find(({ holder }) => holder === nobody)
    assert.equal(found?.expiresMs, 0)
  })

  it('are of what the disk has, where a deletion was cut short', async () => {
    const [holds, shares] = [await memoryHolds(), new MemoryStore()]
    const server = serverWith(holds, shares)
    const peer = asClient(server, 'one')
    await putObjectShare(peer, object, 0)
    await holds.index.change((writer) => {
      writer.setComplete(true)
      const leavingMs = clock.nowMs() - leavingEndsMs - 1
      writer.setObject(storageIndex, { ...writer.object(storageIndex)!, leavingMs })
    })
    await shares.remove(storageIndex, 0)
    assert.deepEqual(await peer.touch([storageIndex]), ['absent'])
    assert.deepEqual(await peer.renew([storageIndex]), ['absent'])
    assert.equal(await putObjectShare(peer, object, 0), 'stored')
    assert.deepEqual(await peer.touch([storageIndex]), ['held'])
  })
})
