import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { utf8 } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { GridError } from '../../../src/base/errors.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { rights } from '../../../src/log/certificate.ts'
import { AccountPeer } from '../../../src/node/peers/account-peer.ts'
import { NoHoldJournal } from '../../../src/storage/holds/hold-journal.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import {
  accountHolder,
  clientHolder,
  hasPlaceFor,
  type Hold,
  type Holder,
  unheld,
  withHold,
} from '../../../src/storage/holds/held-object.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import { LocalPeer, type LocalPeerOptions } from '../../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { allHolds, onAccount, releaseOf } from '../../suites/hold-peer.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { heldBody, putObjectShare, refused } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

const seed = new Uint8Array(32).fill(3)
const clientId = 'client'

function serverWith(
  options: Partial<LocalPeerOptions> = {},
  open: () => Promise<OpenHolds> = memoryHolds,
): { server: LocalPeer; clock: MovedClock } {
  const clock = new MovedClock()
  const id = peerIdOf(publicKeyOfSeed(seed))
  const holds = { open, random: new SystemRandom() }
  const store = new MemoryStore()
  return { server: new LocalPeer({ id, store, clock, reserveBytes: 0, holds, ...options }), clock }
}

/** Counts what it is given to keep. */
class SeenJournal extends NoHoldJournal {
  heldCount = 0
  syncCount = 0
  isFull = false
  hasCompany = false

  override async append(
    records: readonly HoldRecord[] = [],
    { durable } = { durable: false },
  ): Promise<void> {
    if (this.isFull) throw new GridError('E_FULL', 'planned')
    this.heldCount += records.filter(({ kind }) => kind === 'held').length
    if (durable) this.syncCount++
  }

  override async isAlone(): Promise<boolean> {
    return !this.hasCompany
  }
}

/** Carries out nothing that waits. */
class StoppedClock extends MovedClock {
  waiting: { delayMs: number; action: () => void }[] = []

  override after(delayMs: number, action: () => void): () => void {
    const end = (): void => {
      this.waiting = this.waiting.filter((other) => other !== each)
    }
    const each = {
      delayMs,
      action: () => {
        end()
        action()
      },
    }
    this.waiting.push(each)
    return end
  }
}

describe('LocalPeer with holds', () => {
  const log = new TestLog()
  const object = makeObject()

  it('lets no key enter that the log has revoked, nor release what it signed after', async () => {
    const { server, clock } = serverWith({ logs: { store: new MemoryLogStore(), seed } })
    const kept = new TestLog('kept', [publicKeyOfSeed(seed)])
    const author = kept.device('a pruner', undefined, rights.put | rights.release)
    const certificate = kept.admin.entries[0].body
    const device = { author, certificate }
    await putObjectShare(onAccount({ peer: asClient(server, clientId), clientId }, kept), object, 0)
    clock.moveDays(1)
    const early = releaseOf(kept, [object], { cutoffMs: 1, releaseSeq: 1 }, device)
    author.write('release', early.body)
    const late = releaseOf(kept, [object], { releaseSeq: 2 }, device)
    const revocation = kept.revoke(author, 1)
    const { verdicts } = await server.appendEntries(kept.append(kept.admin.entries[0], revocation))
    assert.deepEqual(
      verdicts.map(({ outcome }) => outcome),
      ['stored', 'stored'],
    )
    const entering = onAccount({ peer: asClient(server, clientId), clientId }, kept, device)
    await refused(entering.account(), 'E_REVOKED')
    await refused(server.release(late), 'E_REVOKED')
    assert.deepEqual(await server.release(early), { changed: 0, kept: 1 })
  })

  it('ends a session within a minute of the revocation of its key, and after an hour', async () => {
    const { server, clock } = serverWith({ logs: { store: new MemoryLogStore(), seed } })
    const kept = new TestLog('kept', [publicKeyOfSeed(seed)])
    const author = kept.device('a thief', undefined, rights.put)
    const certificate = kept.admin.entries[0].body
    const peer = asClient(server, clientId)
    const thief = onAccount({ peer, clientId }, kept, { author, certificate })
    await putObjectShare(thief, object, 0)
    const { token } = (await thief.account())!
    const revocation = kept.revoke(author, 1)
    await server.appendEntries(kept.append(kept.admin.entries[0], revocation))
    clock.moveDays(1 / 1440)
    await refused(peer.touch([object.storageIndex], { account: token }), 'E_REVOKED')
    await refused(peer.touch([object.storageIndex], { account: token }), 'E_FORBIDDEN')
    await refused(putObjectShare(thief, object, 1), 'E_REVOKED')
    const admin = onAccount({ peer, clientId }, kept)
    const early = (await admin.account())!.token
    clock.moveDays(59 / 1440)
    assert.deepEqual(await peer.touch([object.storageIndex], { account: early }), ['held'])
    clock.moveDays(1 / 1440)
    await refused(peer.touch([object.storageIndex], { account: early }), 'E_FORBIDDEN')
    assert.deepEqual(await admin.touch([object.storageIndex]), ['held'])
  })

  it('writes nothing for a touch within an hour of one that is durable', async () => {
    const journal = new SeenJournal()
    const { server, clock } = serverWith({}, async () => ({ ...(await memoryHolds()), journal }))
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    const touch = async (): Promise<number> => {
      const { heldCount, syncCount } = journal
      assert.deepEqual(await admin.touch([object.storageIndex]), ['held'])
      assert.ok(journal.syncCount > syncCount, 'answered before anything was durable')
      return journal.heldCount - heldCount
    }
    await admin.account()
    clock.moveDays(1)
    await putObjectShare(admin, object, 0)
    assert.equal(await touch(), 0)
    clock.moveDays(59 / 1440)
    assert.equal(await touch(), 0)
    clock.moveDays(1 / 1440)
    assert.equal(await touch(), 1)
    assert.equal(await touch(), 0)
    // what another process has changed may not be durable
    journal.hasCompany = true
    assert.equal(await touch(), 1)
    journal.hasCompany = false
    // nor what could not be written
    clock.moveDays(1)
    journal.isFull = true
    await refused(admin.touch([object.storageIndex]), 'E_FULL')
    journal.isFull = false
    clock.moveDays(1 / 1440)
    assert.equal(await touch(), 1)
    assert.equal(await touch(), 0)
    await server.release(releaseOf(log, [object], { cutoffMs: 0 }))
    assert.equal(await touch(), 1)
  })

  it('makes the record of a put durable a second later', async () => {
    const journal = new SeenJournal()
    const clock = new StoppedClock()
    const open = async (): Promise<OpenHolds> => ({ ...(await memoryHolds()), journal })
    const { server } = serverWith({ clock }, open)
    const peer = asClient(server, clientId)
    await putObjectShare(peer, object, 0)
    await putObjectShare(peer, makeObject({ seed: 'soon' }), 0)
    const [due, ...others] = clock.waiting
    assert.deepEqual(others, [])
    assert.equal(due.delayMs, 1000)
    assert.equal(journal.syncCount, 0)
    due.action()
    assert.equal(journal.syncCount, 1)
    await putObjectShare(peer, makeObject({ seed: 'sooner' }), 0)
    assert.equal(clock.waiting.length, 1)
    await server.close()
    assert.deepEqual(clock.waiting, [])
  })

  it('lists millions of objects, and then as many as the rate allows', async () => {
    const { server, clock } = serverWith()
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    await putObjectShare(admin, object, 0)
    const request = { after: undefined, limit: 1024, which: 'held' } as const
    const list = async (): Promise<number> => (await admin.listHolds(request)).holds.length
    let pages = 0
    const listing = async (): Promise<void> => {
      for (; pages < 10_000; pages++) assert.equal(await list(), 1)
    }
    await refused(listing(), 'E_RATE')
    assert.ok(pages > 1_000_000 / 1024 && pages < 5000, `${pages} pages`)
    clock.moveDays(1 / 86_400)
    assert.equal(await list(), 1)
  })

  it('takes no touches that must be written once half of the reserve is used up', async () => {
    const store = new MemoryStore()
    let freeBytes = 1000
    store.space = async () => ({ freeBytes, totalBytes: 10_000 })
    const { server, clock } = serverWith({ store, reserveBytes: 1000 })
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    freeBytes = 100_000
    await putObjectShare(admin, object, 0)
    const lessor = asClient(server, 'another')
    freeBytes = 500
    clock.moveDays(1)
    assert.deepEqual(await admin.touch([object.storageIndex]), ['held'])
    assert.deepEqual(await lessor.touch([object.storageIndex]), ['held'])
    freeBytes = 499
    assert.deepEqual(await admin.touch([object.storageIndex]), ['held'])
    clock.moveDays(1)
    await refused(admin.touch([object.storageIndex]), 'E_FULL')
    await refused(admin.renew([object.storageIndex]), 'E_FULL')
    clock.moveDays(4)
    assert.equal((await server.release(releaseOf(log, [object]))).changed, 1)
  })

  it('refuses a lease that would end before 64 others, and no hold of an account for them', async () => {
    const holds = await memoryHolds()
    const { server } = serverWith({}, async () => holds)
    const { storageIndex } = object
    await putObjectShare(asClient(server, 'client 0'), object, 0)
    await holds.index.change((writer) => {
      for (let i = 0; i < 64; i++) {
        const hold = { payer: undefined, touchedMs: 1, expiresMs: 2 ** 50 }
        const holder = clientHolder(`client ${i}`)
        writer.setObject(storageIndex, withHold(writer.object(storageIndex)!, { ...hold, holder }))
      }
    })
    const late = asClient(server, 'late')
    await refused(late.touch([storageIndex]), 'E_FULL')
    await refused(putObjectShare(late, object, 1), 'E_FULL')
    assert.deepEqual(await asClient(server, 'client 3').touch([storageIndex]), ['held'])
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    assert.equal(await putObjectShare(admin, object, 1), 'stored')
    assert.deepEqual(await admin.touch([storageIndex]), ['held'])
  })

  it('is at most one of 1,024 accounts that hold an object, and of 64 leases one that ends last', () => {
    const hold = (holder: Holder, expiresMs: number): Omit<Hold, 'releasedMs' | 'cutoffMs'> => {
      return { holder, payer: undefined, touchedMs: 1, expiresMs }
    }
    const lessor = (i: number): Holder => clientHolder(`client ${i}`)
    let crowded = unheld
    for (let i = 0; i < 70; i++) crowded = withHold(crowded, hold(lessor(i), 100 + i))
    let reverse = unheld
    for (let i = 69; i >= 0; i--) reverse = withHold(reverse, hold(lessor(i), 100 + i))
    for (const { holds } of [crowded, reverse]) {
      assert.deepEqual(
        holds.map(({ expiresMs }) => expiresMs).sort((a, b) => a - b),
        Array.from({ length: 64 }, (_, i) => 106 + i),
      )
    }
    assert.ok(hasPlaceFor(crowded, hold(lessor(70), 107)))
    assert.ok(!hasPlaceFor(crowded, hold(lessor(70), 106)))
    assert.ok(hasPlaceFor(crowded, hold(lessor(69), 1)))
    const account = (i: number): Holder => accountHolder(sha256(utf8(`account ${i}`)))
    for (let i = 0; i < 1024; i++) {
      assert.ok(hasPlaceFor(crowded, hold(account(i), 0)))
      crowded = withHold(crowded, hold(account(i), 0))
    }
    assert.ok(!hasPlaceFor(crowded, hold(account(1024), 0)))
    assert.ok(hasPlaceFor(crowded, hold(account(3), 0)))
  })

  it('leaves places to others once all are taken', async () => {
    const { server } = serverWith({ maxPuts: 20 })
    const peer = asClient(server, clientId)
    const greedy = onAccount({ peer, clientId }, log)
    const objects = Array.from({ length: 23 }, (_, i) => makeObject({ seed: `places ${i}` }))
    const bodies = objects.slice(0, 20).map(({ shares }) => heldBody(shares[0]))
    const puts = bodies.map((body, i) => greedy.putShare(objects[i].storageIndex, 0, body))
    await Promise.all(bodies.map(({ reached }) => reached))
    await refused(putObjectShare(greedy, objects[20], 0), 'E_BUSY')
    const again = onAccount({ peer, clientId }, new TestLog('one more account'))
    await refused(putObjectShare(again, objects[20], 0), 'E_BUSY')
    const waiting = putObjectShare(asClient(server, 'another'), objects[21], 0)
    for (const body of bodies) body.go()
    await Promise.all([...puts, waiting])
    assert.equal(await putObjectShare(greedy, objects[22], 0), 'stored')
  })

  it('stores a share though its hold cannot be recorded, and says when a touch cannot', async () => {
    const { server } = serverWith({}, async () => {
      const holds = await memoryHolds()
      const append = (): Promise<never> => Promise.reject(new GridError('E_FULL', 'planned'))
      return { ...holds, journal: Object.assign(holds.journal, { append }) }
    })
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    assert.equal(await putObjectShare(admin, object, 0), 'stored')
    await refused(admin.touch([object.storageIndex]), 'E_FULL')
    await refused(
      admin.renew([object.storageIndex]).then(() => admin.touch([object.storageIndex])),
      'E_FULL',
    )
    await refused(server.release(releaseOf(log, [object])), 'E_FULL')
    assert.equal((await allHolds(admin)).length, 1)
  })

  it('leaves no index open that it could not bring up to its journal', async () => {
    let [opened, closed, isFull] = [0, 0, true]
    const { server } = serverWith({}, async () => {
      const { index, journal, memory } = await memoryHolds()
      opened++
      index.close = async () => {
        closed++
      }
      journal.replay = async () => {
        if (isFull) throw new GridError('E_FULL', 'planned')
      }
      return { index, journal, memory }
    })
    for (let i = 0; i < 3; i++) await refused(server.touch([object.storageIndex]), 'E_FULL')
    assert.deepEqual([opened, closed], [3, 3])
    isFull = false
    assert.deepEqual(await server.touch([object.storageIndex]), ['absent'])
    assert.deepEqual([opened, closed], [4, 3])
  })

  it('releases only what it has recorded', async () => {
    let isFull = false
    const { server, clock } = serverWith({}, async () => {
      const holds = await memoryHolds()
      const append = async (): Promise<void> => {
        if (isFull) throw new GridError('E_FULL', 'planned')
      }
      return { ...holds, journal: Object.assign(holds.journal, { append }) }
    })
    await putObjectShare(onAccount({ peer: asClient(server, clientId), clientId }, log), object, 0)
    clock.moveDays(1)
    isFull = true
    await refused(server.release(releaseOf(log, [object])), 'E_FULL')
    assert.equal((await server.status()).quarantinedCount, 0)
    isFull = false
    assert.equal((await server.release(releaseOf(log, [object]))).changed, 1)
  })

  it('tells an account of shares that were found damaged', async () => {
    const { server } = serverWith()
    const admin = onAccount({ peer: asClient(server, clientId), clientId }, log)
    await putObjectShare(admin, object, 0)
    assert.deepEqual(await allHolds(admin, 'damaged'), [])
    const { storageIndex, shares } = object
    await server.noteDamaged({ storageIndex, shareNumber: 0, shareBytes: shares[0].length })
    const damaged = await allHolds(admin, 'damaged')
    assert.deepEqual(
      damaged.map((hold) => hold.storageIndex),
      [storageIndex],
    )
    const again = await onAccount({ peer: asClient(server, clientId), clientId }, log).account()
    assert.equal(again?.damagedCount, 1)
    await putObjectShare(admin, object, 1)
    await putObjectShare(admin, object, 0)
    assert.deepEqual(await allHolds(admin, 'damaged'), [])
  })

  it('enters again where a server has forgotten its token, and takes none where no accounts are', async () => {
    const { server } = serverWith()
    let current = server
    const peer = new Proxy(server, {
      get: (_target, key) => {
        const now = asClient(current, clientId)
        const value: unknown = Reflect.get(now, key)
        return typeof value === 'function' ? (value.bind(now) as unknown) : value
      },
    })
    const admin = onAccount({ peer, clientId }, log)
    await putObjectShare(admin, object, 0)
    current = serverWith().server
    const [, share] = object.shares
    const again = { shareBytes: share.length, pieces: [share] }
    assert.equal(await admin.putShare(object.storageIndex, 1, again), 'stored')
    assert.equal((await allHolds(admin)).length, 1)
    const plain = new LocalPeer({
      ...{ id: server.id, store: new MemoryStore(), clock: new MovedClock(), reserveBytes: 0 },
    })
    const without = onAccount({ peer: asClient(plain, clientId), clientId }, log)
    assert.ok(without instanceof AccountPeer)
    assert.equal(await without.account(), undefined)
    assert.equal(await putObjectShare(without, object, 0), 'stored')
  })
})
