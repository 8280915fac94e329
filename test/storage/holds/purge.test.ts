import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { peerIdOf, publicKeyOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { type Admission, freeTerms, type Terms } from '../../../src/storage/admission.ts'
import { DiskStore, soleWriter } from '../../../src/storage/disk-store.ts'
import { accountHolder, clientHolder } from '../../../src/storage/holds/held-object.ts'
import { openDiskHolds } from '../../../src/storage/holds/open-holds.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { asClient } from '../../suites/as-client.ts'
import { onAccount } from '../../suites/hold-peer.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { putObjectShare } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

const dayMs = 24 * 3600 * 1000
const log = new TestLog('the account')
const others = new TestLog('another account')
const [leaver, stayer] = [1, 2].map((fill) =>
  peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(fill))),
)
const leaverKey = publicKeyOf(leaver)!

/** Admits all, each to pay for itself; the leaver's time is over at `endMs`. */
class Terming implements Admission {
  endMs = 0

  admit(client: string | undefined): { admitted: true } & Terms {
    return { admitted: true, ...freeTerms, payer: publicKeyOf(client ?? '') }
  }

  show(): void {}

  termsOf(payer: Uint8Array): Terms | undefined {
    if (peerIdOf(payer) !== leaver) return undefined
    const readOnlyAfterMs = this.endMs
    return { ...freeTerms, payer, readOnlyAfterMs, purgeAfterMs: readOnlyAfterMs + 90 * dayMs }
  }
}

describe('a purge of what a former member pays for', () => {
  const object = makeObject({ seed: 'one' })
  const shared = makeObject({ seed: 'two' })
  let root: string
  let clock: MovedClock
  let admission: Terming
  let server: LocalPeer

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-purge-'))
    clock = new MovedClock()
    admission = new Terming()
    await open()
  })

  afterEach(async () => {
    await server.close()
    await rm(root, { recursive: true })
  })

  async function open(): Promise<void> {
    const disk = new SystemDisk()
    const place = { disk, root, writers: soleWriter }
    const store = new DiskStore(place)
    await store.open()
    const open = (): ReturnType<typeof openDiskHolds> => openDiskHolds({ ...place, clock })
    const holds = { open, random: new SystemRandom(), admission }
    server = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0, holds })
  }

  /** As the process finds it again, with nothing but the journal to go by. */
  async function reopen(): Promise<void> {
    await server.close()
    await rm(path.join(root, 'holds', 'index'), { recursive: true })
    await open()
    // looks at all shares
    await server.sweep()
  }

  function on(account: TestLog, clientId: string): StoragePeer {
    return onAccount({ peer: asClient(server, clientId), clientId }, account)
  }

  /** The leaver's time is over now; it may be purged in 90 days. */
  function endsNow(): void {
    admission.endMs = clock.nowMs()
  }

  async function quarantined(): Promise<number> {
    return (await server.status()).quarantinedCount
  }

  it('comes 90 days after the end of a member that is known, and says from when on', async () => {
    await putObjectShare(on(log, leaver), object, 0)
    endsNow()
    clock.moveDays(89)
    const from = new Date(admission.endMs + 90 * dayMs).toISOString().slice(0, 10)
    const isEarly = (error: unknown): boolean =>
      isGridError(error, 'E_FORBIDDEN') && error.message.includes(`from ${from} on`)
    await assert.rejects(server.holds.purge(leaverKey), isEarly)
    await assert.rejects(server.holds.purge(leaverKey, { dryRun: true }), isEarly)
    await assert.rejects(server.holds.purge(publicKeyOf(stayer)!), { code: 'E_ABSENT' })
    assert.equal(await quarantined(), 0)
    clock.moveDays(2)
    assert.equal((await server.holds.purge(leaverKey)).endedHolds, 1)
    assert.equal(await quarantined(), 1)
  })

  it('says what it would end and on which accounts, and ends nothing then', async () => {
    await putObjectShare(on(log, leaver), object, 0)
    await putObjectShare(on(log, leaver), shared, 0)
    await putObjectShare(on(others, stayer), shared, 0)
    await putObjectShare(asClient(server, leaver), object, 0)
    endsNow()
    clock.moveDays(91)
    const report = await server.holds.purge(leaverKey, { dryRun: true })
    assert.equal(report.endedMs, admission.endMs)
    assert.deepEqual([report.paid.objects, report.unheld.objects, report.endedHolds], [2, 1, 0])
    assert.equal(report.paid.bytes, report.holders[0].bytes)
    assert.deepEqual(
      report.holders.map(({ holder, objects }) => [holder, objects]),
      [
        [accountHolder(log.logId), 2],
        [clientHolder(leaver), 1],
      ],
    )
    assert.equal(await quarantined(), 0)
  })

  it('leaves what others pay for, on the same account or another', async () => {
    await putObjectShare(on(log, leaver), object, 0)
    await putObjectShare(on(log, leaver), shared, 0)
    await putObjectShare(on(others, stayer), shared, 0)
    clock.moveDays(1)
    // the account's hold is another member's from now on
    await on(log, stayer).touch([object.storageIndex])
    endsNow()
    clock.moveDays(91)
    const { paid, unheld, endedHolds } = await server.holds.purge(leaverKey)
    assert.deepEqual([paid.objects, unheld.objects, endedHolds], [1, 0, 1])
    assert.equal(await quarantined(), 0)
    assert.equal((await server.holds.purge(leaverKey)).endedHolds, 0)
  })

  it('is taken back by any touch for the time of quarantine, and deleted after it', async () => {
    await putObjectShare(on(log, leaver), object, 0)
    await putObjectShare(on(log, leaver), shared, 0)
    await server.sweep()
    endsNow()
    for (let day = 0; day < 91; day++) {
      clock.moveDays(1)
      await server.sweep()
    }
    await server.holds.purge(leaverKey)
    await reopen()
    assert.equal(await quarantined(), 2)
    assert.deepEqual(await on(log, stayer).touch([shared.storageIndex]), ['readopted'])
    await reopen()
    assert.equal(await quarantined(), 1)
    let deletedOn = 0
    for (let day = 1; day <= 40; day++) {
      clock.moveDays(1)
      if ((await server.sweep()).deletedShares > 0) deletedOn = day
    }
    assert.ok(deletedOn === 30 || deletedOn === 31)
    const [gone, kept] = await server.have([object.storageIndex, shared.storageIndex])
    assert.deepEqual([gone.length, kept.length], [0, 1])
  })

  it('leaves what was touched after the end, by a member that is one again for all that is known', async () => {
    await putObjectShare(on(log, leaver), object, 0)
    endsNow()
    clock.moveDays(50)
    await on(log, leaver).touch([object.storageIndex])
    clock.moveDays(41)
    assert.deepEqual((await server.holds.purge(leaverKey)).paid.objects, 0)
    assert.equal(await quarantined(), 0)
  })
})
