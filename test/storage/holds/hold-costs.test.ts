/** What a request about holds may cost a server: of its disk, and of its time. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { clientHolder, withHold } from '../../../src/storage/holds/held-object.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import { NoHoldJournal } from '../../../src/storage/holds/hold-journal.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { putObjectShare, refused } from '../../suites/storage-peer.ts'

/** Remembers what it is given to keep. */
class KeptRecords extends NoHoldJournal {
  readonly records: HoldRecord[] = []
  isAbandoned = false

  override async append(records: readonly HoldRecord[] = []): Promise<void> {
    this.records.push(...records)
  }

  override async isAlone(): Promise<boolean> {
    return !this.isAbandoned
  }

  /** What came since it was last asked. */
  taken(): HoldRecord[] {
    return this.records.splice(0)
  }
}

class Stand {
  readonly clock = new MovedClock()
  readonly journal = new KeptRecords()
  readonly store = new MemoryStore()
  readonly server: LocalPeer
  holds: OpenHolds | undefined

  constructor() {
    const open = async (): Promise<OpenHolds> => {
      this.holds = { ...(await memoryHolds()), journal: this.journal }
      return this.holds
    }
    const { store, clock } = this
    const id = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(3)))
    const holds = { open, random: new SystemRandom(), leaseDays: 10 }
    this.server = new LocalPeer({ id, store, clock, reserveBytes: 0, holds })
  }
}

describe('what holds cost', () => {
  const objects = ['one', 'two', 'three'].map((seed) => makeObject({ seed }))
  const indexes = objects.map(({ storageIndex }) => storageIndex)

  it('writes one record of a renewal for each holder, and none within an hour of the last', async () => {
    const { server, clock, journal } = new Stand()
    const [one, two] = ['client 1', 'client 2'].map((client) => asClient(server, client))
    for (const object of objects) await putObjectShare(one, object, 0)
    await two.touch(indexes)
    const renewals = async (): Promise<number[]> => {
      journal.taken()
      assert.deepEqual(await server.renew(indexes), ['held', 'held', 'held'])
      return journal.taken().map((record) => (record.kind === 'held' ? record.holds.length : 0))
    }
    clock.moveDays(1)
    assert.deepEqual(await renewals(), [3, 3])
    assert.deepEqual(await renewals(), [])
    clock.moveDays(59 / 1440)
    assert.deepEqual(await renewals(), [])
    // what another process has prolonged may not be durable
    journal.isAbandoned = true
    assert.deepEqual(await renewals(), [3, 3])
    journal.isAbandoned = false
    clock.moveDays(2 / 1440)
    assert.deepEqual(await renewals(), [])
    clock.moveDays(59 / 1440)
    assert.deepEqual(await renewals(), [3, 3])
    clock.moveDays(9.9)
    assert.equal((await server.status()).quarantinedCount, 0)
    clock.moveDays(0.2)
    assert.equal((await server.status()).quarantinedCount, 3)
  })

  it('counts each lease that a renewal prolongs as a touch', async () => {
    const stand = new Stand()
    const { server } = stand
    const [object] = objects
    const { storageIndex } = object
    await putObjectShare(asClient(server, 'client 0'), object, 0)
    await stand.holds!.index.change((writer) => {
      for (let i = 0; i < 64; i++) {
        const hold = { payer: undefined, touchedMs: 1, expiresMs: 2 ** 50 }
        const holder = clientHolder(`client ${i}`)
        writer.setObject(storageIndex, withHold(writer.object(storageIndex)!, { ...hold, holder }))
      }
    })
    const request = new Array<Uint8Array>(1024).fill(storageIndex)
    const renewing = async (): Promise<void> => {
      for (let count = 0; count < 25; count++) await server.renew(request)
    }
    await refused(renewing(), 'E_RATE')
  })
})
