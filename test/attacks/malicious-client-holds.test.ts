/** Clients that want to keep more, keep others from keeping, or let go of what is others'. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { GridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { NoHoldJournal } from '../../src/storage/holds/hold-journal.ts'
import type { OpenHolds } from '../../src/storage/holds/hold-keeper.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { asClient } from '../suites/as-client.ts'
import { allHolds, onAccount, releaseOf } from '../suites/hold-peer.ts'
import { memoryHolds } from '../suites/memory-holds.ts'
import { MovedClock } from '../suites/moved-clock.ts'
import { makeObject } from '../suites/objects.ts'
import { getShare, putObjectShare, refused } from '../suites/storage-peer.ts'
import { TestLog } from '../suites/test-log.ts'

const object = makeObject()
const { storageIndex, shares } = object
const leaseDays = 100

/** A journal on a disk that may be full. */
class FullJournal extends NoHoldJournal {
  isFull = false

  override async append(): Promise<void> {
    if (this.isFull) throw new GridError('E_FULL', 'the disk is full')
  }
}

describe('malicious client, holds', () => {
  const log = new TestLog()
  const thief = new TestLog('a thief')
  let clock: MovedClock
  let server: LocalPeer
  let opened: OpenHolds | undefined
  let journal: FullJournal

  beforeEach(() => {
    clock = new MovedClock()
    opened = undefined
    journal = new FullJournal()
    const open = async (): Promise<OpenHolds> => (opened = { ...(await memoryHolds()), journal })
    const holds = { open, random: new SystemRandom(), leaseDays, quarantineDays: 20 }
    server = new LocalPeer({
      id: 'server',
      store: new MemoryStore(),
      clock,
      reserveBytes: 0,
      holds,
    })
  })

  const client = (name: string): StoragePeer => asClient(server, name)
  const account = (of: TestLog, name: string): StoragePeer =>
    onAccount({ peer: client(name), clientId: name }, of)
  const holdsOf = (): readonly unknown[] => opened!.index.object(storageIndex)?.holds ?? []

  /** Whether the share is there after so many days, on each of which the server sweeps. */
  async function isThereAfter(days: number): Promise<boolean> {
    for (let day = 0; day < days; day++) {
      clock.moveDays(1)
      await server.sweep()
    }
    const [held] = await server.have([storageIndex])
    return held.length > 0
  }

  it('client 22, T11: a thousand leases of one client, or holds of one account, are one', async () => {
    await putObjectShare(client('one'), object, 0)
    for (let i = 0; i < 1000; i++) await client('one').touch([storageIndex])
    assert.equal(holdsOf().length, 1)
    for (let i = 0; i < 20; i++) await account(thief, `device ${i}`).touch([storageIndex])
    assert.equal(holdsOf().length, 2)
  })

  it('client 23: leases for a million shares that are not here leave nothing', async () => {
    const indexes = Array.from({ length: 1024 }, (_, i) => {
      const index = new Uint8Array(20)
      new DataView(index.buffer).setUint32(0, i)
      return index
    })
    let asked = 0
    for (const peer of [client('one'), account(thief, 'two')]) {
      for (let i = 0; i < 50; i++) {
        asked += indexes.length
        const outcomes = await peer.touch(indexes)
        assert.ok(outcomes.every((outcome) => outcome === 'absent'))
        assert.ok((await peer.renew(indexes)).every((outcome) => outcome === 'absent'))
      }
    }
    assert.ok(asked > 100_000)
    const { objects } = opened!.index.page({ after: undefined, limit: 10 })
    assert.deepEqual(objects, [])
    assert.deepEqual(await allHolds(account(thief, 'two')), [])
  })

  it('client 24: a lease ends when the server says, whatever the clock of whoever asks', async () => {
    // there is no word by which a client could name an end
    await putObjectShare(client('one'), object, 0)
    assert.ok(await isThereAfter(leaseDays + 10))
    assert.equal(await isThereAfter(20), false)
  })

  it('client 24: renewing shortens no lease, when the server’s clock falls back either', async () => {
    await putObjectShare(client('one'), object, 0)
    clock.jumpDays(-80)
    await client('stranger').renew([storageIndex])
    await client('one').touch([storageIndex])
    clock.jumpDays(80)
    assert.ok(await isThereAfter(leaseDays - 5))
  })

  it('client 24: a clock that jumps by 400 days deletes nothing', async () => {
    await putObjectShare(client('one'), object, 0)
    await server.sweep()
    clock.jumpDays(400)
    const { deletedShares, refusal } = await server.sweep()
    assert.deepEqual([deletedShares, refusal], [0, 'clock'])
    assert.deepEqual(await getShare(server, storageIndex, 0), shares[0])
  })

  it('client 28: an account lists what it holds, and what others hold looks like what nobody does', async () => {
    await putObjectShare(account(log, 'one'), object, 0)
    const other = account(thief, 'two')
    assert.deepEqual(await allHolds(other), [])
    const absent = makeObject({ seed: 'absent' })
    const replies = []
    for (const [i, of] of [object, absent].entries())
      replies.push(await other.release(releaseOf(thief, [of], { releaseSeq: i + 1 })))
    assert.deepEqual(replies[0], replies[1])
    await refused(
      client('three').listHolds({ after: undefined, limit: 10, which: 'held' }),
      'E_FORBIDDEN',
    )
  })

  it('client 28: nobody lets go of what another holds, with any signature of his own', async () => {
    await putObjectShare(account(log, 'one'), object, 0)
    const other = account(thief, 'two')
    // signed by the thief in his own log, about the account of the other
    await refused(other.release(releaseOf(thief, [object], { account: log.logId })), 'E_ENTRY')
    // the genesis of the other, the key of the thief
    const forged = { ...releaseOf(thief, [object]), genesis: log.genesis }
    await refused(other.release(forged), 'E_ENTRY', 'E_CERTIFICATE', 'E_GENESIS', 'E_SIGNATURE')
    // he may hold it too, and let that go
    await other.touch([storageIndex])
    clock.moveDays(4)
    await other.release(releaseOf(thief, [object]))
    assert.ok(await isThereAfter(60))
    assert.deepEqual(
      (await allHolds(account(log, 'one'))).map((hold) => hold.storageIndex),
      [storageIndex],
    )
  })

  it('server 26, T12: a disk that is full for leases alone fails each touch by its code, and all else goes on', async () => {
    await putObjectShare(client('one'), object, 0)
    const mine = account(log, 'two')
    await mine.touch([storageIndex])
    journal.isFull = true
    await refused(mine.touch([storageIndex]), 'E_FULL')
    await refused(client('one').renew([storageIndex]), 'E_FULL')
    await refused(mine.release(releaseOf(log, [object])), 'E_FULL')
    assert.deepEqual(await getShare(server, storageIndex, 0), shares[0])
    assert.equal((await server.status()).shareCount, 1)
    // what was not recorded has not been let go
    assert.equal((await allHolds(mine)).length, 1)
    journal.isFull = false
    assert.deepEqual(await mine.touch([storageIndex]), ['held'])
    // what was touched of late is let go by no release
    clock.moveDays(4)
    assert.equal((await mine.release(releaseOf(log, [object]))).changed, 1)
  })
})
