/** What a request about holds may cost a server: of its disk, and of its time. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, u32be } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { GridError } from '../../../src/base/errors.ts'
import type { Release } from '../../../src/log/release.ts'
import {
  accountHolder,
  clientHolder,
  isHeld,
  unheld,
  withHold,
  withShare,
} from '../../../src/storage/holds/held-object.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import { NoHoldJournal } from '../../../src/storage/holds/hold-journal.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { LocalPeer, type LocalPeerOptions } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { onAccount, releaseOf } from '../../suites/hold-peer.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { putObjectShare, refused } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

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
  server: LocalPeer
  holds: OpenHolds | undefined

  constructor() {
    this.server = this.#serverWith({})
  }

  start(options: Partial<LocalPeerOptions>): this {
    this.server = this.#serverWith(options)
    return this
  }

  /** Its holds, before anything is asked of it. */
  async opened(): Promise<{ server: LocalPeer; clock: MovedClock; holds: OpenHolds }> {
    await this.server.openHolds()
    return { server: this.server, clock: this.clock, holds: this.holds! }
  }

  #serverWith(options: Partial<LocalPeerOptions>): LocalPeer {
    const open = async (): Promise<OpenHolds> => {
      this.holds = { ...(await memoryHolds()), journal: this.journal }
      return this.holds
    }
    const { store, clock } = this
    const id = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(3)))
    const holds = { open, random: new SystemRandom(), leaseDays: 10 }
    return new LocalPeer({ id, store, clock, reserveBytes: 0, holds, ...options })
  }
}

/** Has the account of `log` hold 2,000 objects of one share each. */
async function holdMany({ index }: OpenHolds, log: TestLog): Promise<Uint8Array[]> {
  const many = Array.from({ length: 2000 }, (_, i) => concat(u32be(i), new Uint8Array(16)))
  const holder = accountHolder(log.logId)
  const hold = { holder, payer: undefined, touchedMs: 1, expiresMs: 0 }
  await index.change((writer) => {
    for (const storageIndex of many) {
      writer.setObject(storageIndex, withHold(withShare(unheld, 0, 1), hold))
    }
  })
  return many
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
    const { server, clock } = stand
    const [object] = objects
    const { storageIndex } = object
    await putObjectShare(asClient(server, 'client 0'), object, 0)
    await stand.holds!.index.change((writer) => {
      for (let i = 0; i < 64; i++) {
        const hold = { payer: undefined, touchedMs: 1, expiresMs: clock.nowMs() + 1e6 }
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

  it('keeps of a release what it ends alone, each once, and of one who holds nothing nothing', async () => {
    const { server, clock, journal } = new Stand()
    const peer = asClient(server, 'client')
    const log = new TestLog()
    const [object, other] = objects
    await putObjectShare(onAccount({ peer, clientId: 'client' }, log), object, 0)
    await putObjectShare(peer, other, 0)
    clock.moveDays(1)
    const release = async (by: TestLog, fields: Partial<Release>): Promise<HoldRecord[]> => {
      journal.taken()
      await peer.release(releaseOf(by, [object, other, object], fields))
      return journal.taken()
    }
    const namedIn = (records: HoldRecord[]): number[] =>
      records.map((record) => (record.kind === 'released' ? record.storageIndexes.length : -1))
    assert.deepEqual(namedIn(await release(log, { releaseSeq: 1 })), [1])
    clock.moveDays(1)
    // it ended before: only the number is news
    assert.deepEqual(namedIn(await release(log, { releaseSeq: 2 })), [0])
    assert.deepEqual(namedIn(await release(log, { releaseSeq: 3, cutoffMs: 0 })), [1])
    assert.deepEqual(namedIn(await release(log, { releaseSeq: 4, cutoffMs: 0 })), [0])
    assert.deepEqual(await release(new TestLog('a stranger'), { releaseSeq: 9 }), [])
  })

  it('takes no release back once half of the reserve is used up', async () => {
    const stand = new Stand()
    let freeBytes = 10_000
    stand.store.space = async () => ({ freeBytes, totalBytes: 10_000 })
    const { server, clock } = stand.start({ reserveBytes: 1000 })
    const peer = asClient(server, 'client')
    const log = new TestLog()
    await putObjectShare(onAccount({ peer, clientId: 'client' }, log), objects[0], 0)
    clock.moveDays(1)
    freeBytes = 499
    assert.equal((await peer.release(releaseOf(log, objects))).changed, 1)
    const back = releaseOf(log, objects, { releaseSeq: 2, cutoffMs: 0 })
    await refused(peer.release(back), 'E_FULL')
    freeBytes = 500
    assert.equal((await peer.release(back)).changed, 1)
  })

  it('lets others have their turn in a long release', async () => {
    const { server, clock, holds } = await new Stand().opened()
    const log = new TestLog()
    const many = await holdMany(holds, log)
    clock.moveDays(1)
    let turns = 0
    const others = setInterval(() => turns++, 0)
    const release = releaseOf(log, [], { storageIndexes: many })
    const { changed } = await server.release(release).finally(() => clearInterval(others))
    assert.equal(changed, 2000)
    assert.ok(turns >= 4, `${turns} turns`)
  })

  it('carries out again a release that was cut short', async () => {
    const { server, clock, holds } = await new Stand().opened()
    const log = new TestLog()
    const many = await holdMany(holds, log)
    clock.moveDays(1)
    assert.equal((await server.release(releaseOf(log, [], { storageIndexes: many }))).changed, 2000)
    const back = releaseOf(log, [], { storageIndexes: many, releaseSeq: 2, cutoffMs: 0 })
    const change = holds.index.change.bind(holds.index)
    let changes = 0
    holds.index.change = (work) => {
      if (++changes === 3) throw new GridError('E_FULL', 'planned')
      return change(work)
    }
    await refused(server.release(back), 'E_FULL')
    await server.release(back)
    const held = many.filter((at) => isHeld(holds.index.object(at)!, clock.nowMs()))
    assert.equal(held.length, 2000)
  })
})
