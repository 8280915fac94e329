/** What every peer must do about holds, as a function of how to make one. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'mocha'
import { equalBytes, toHex } from '../../src/base/bytes.ts'
import { rights } from '../../src/log/certificate.ts'
import { formatRelease, type Release } from '../../src/log/release.ts'
import { type AccountCredentials, AccountPeer } from '../../src/node/peers/account-peer.ts'
import { type Admission, freeTerms, type Terms } from '../../src/storage/admission.ts'
import type { ListedHold, SignedRelease } from '../../src/storage/hold-peer.ts'
import { authMessage } from '../../src/storage/holds/credentials.ts'
import type { HoldsOptions } from '../../src/storage/holds/hold-keeper.ts'
import type { LocalPeer } from '../../src/storage/local-peer.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import type { MovedClock } from './moved-clock.ts'
import { makeObject, type TestObject } from './objects.ts'
import { putObjectShare, refused } from './storage-peer.ts'
import { type TestAuthor, TestLog } from './test-log.ts'

export interface HoldPeerFixture {
  /** In front of `server`, which holds nothing. */
  peer: StoragePeer
  server: LocalPeer
  clock: MovedClock
  /** By what `server` knows who asks through `peer`. */
  clientId: string
  close(): Promise<void>
}

export type HoldSettings = Pick<HoldsOptions, 'admission' | 'leaseDays' | 'quarantineDays'>

/** A peer on the account of `log`: of its admin, or of a device with these rights. */
export function onAccount(
  { peer, clientId }: Pick<HoldPeerFixture, 'peer' | 'clientId'>,
  log: TestLog,
  device?: { author: TestAuthor; certificate: Uint8Array },
): AccountPeer {
  const { author, certificate } = device ?? { author: log.admin, certificate: undefined }
  const sign = (message: Uint8Array): Uint8Array => author.sign(message)
  const credentials = { genesis: log.genesis, certificate, key: author.key, sign }
  return new AccountPeer({ peer, clientId, credentials })
}

/** A release of `objects` as the admin of `log` signs it. */
export function releaseOf(
  log: TestLog,
  objects: readonly TestObject[],
  fields: Partial<Release> = {},
  by: { author: TestAuthor; certificate: Uint8Array | undefined } = {
    author: log.admin,
    certificate: undefined,
  },
): SignedRelease {
  const body = formatRelease({
    ...{ account: log.logId, server: undefined, releaseSeq: 1, cutoffMs: 2 ** 50 },
    storageIndexes: objects.map(({ storageIndex }) => storageIndex),
    ...fields,
  })
  const { header, signature } = by.author.make({ kind: 'release' }, body)
  return { header, signature, genesis: log.genesis, certificate: by.certificate, body }
}

/** Admits everyone, and has them all pay by one quota. */
export function paying(payer: () => Uint8Array | undefined, quotaBytes: number): Admission {
  const terms = (): Terms => ({ ...freeTerms, payer: payer(), quotaBytes })
  return { admit: () => ({ admitted: true, ...terms() }), show: () => {}, termsOf: terms }
}

/** Everything that an account holds. */
export async function allHolds(
  peer: StoragePeer,
  which: 'held' | 'damaged' = 'held',
  limit = 1024,
): Promise<ListedHold[]> {
  const holds: ListedHold[] = []
  for (;;) {
    const after = holds.at(-1)?.storageIndex
    const page = await peer.listHolds({ after, limit, which })
    holds.push(...page.holds)
    if (page.complete) return holds
  }
}

export function holdPeerSuite(
  name: string,
  make: (settings: HoldSettings) => Promise<HoldPeerFixture>,
): void {
  describe(`${name} with holds`, () => {
    const [object, other] = [makeObject(), makeObject({ seed: 'other' })]
    const log = new TestLog()
    const stranger = new TestLog('a stranger')
    let fixture: HoldPeerFixture

    async function start(settings: HoldSettings = {}): Promise<HoldPeerFixture> {
      fixture = await make(settings)
      return fixture
    }

    afterEach(() => fixture.close())

    function device(bits: number): { author: TestAuthor; certificate: Uint8Array } {
      const author = log.stranger('a device')
      return { author, certificate: log.certificateFor(author.key, undefined, bits) }
    }

    it('lets an admin and a certified device enter, and tells what is used', async () => {
      await start()
      const admin = onAccount(fixture, log)
      assert.equal((await admin.account())?.usedBytes, 0)
      await putObjectShare(admin, object, 0)
      const again = onAccount(fixture, log, device(rights.put))
      const account = await again.account()
      assert.deepEqual(account && { ...account, token: undefined }, {
        ...{ token: undefined, usedBytes: 4096, quotaBytes: undefined, damagedCount: 0 },
      })
    })

    it('lets nobody else enter', async () => {
      const { peer, clientId } = await start()
      const author = log.stranger('nobody')
      const sign = (message: Uint8Array): Uint8Array => author.sign(message)
      const enter = (credentials: Partial<AccountCredentials>): Promise<unknown> =>
        new AccountPeer({
          peer,
          clientId,
          credentials: {
            ...{ genesis: log.genesis, certificate: undefined, key: author.key, sign },
            ...credentials,
          },
        }).account()
      await refused(enter({}), 'E_CERTIFICATE')
      await refused(enter({ key: log.admin.key }), 'E_SIGNATURE')
      const foreign = stranger.certificateFor(author.key)
      await refused(enter({ certificate: foreign }), 'E_CERTIFICATE')
      await refused(enter({ genesis: log.genesis.subarray(1) }), 'E_GENESIS')
    })

    it('takes a nonce once, and only from whom it was given to', async () => {
      const { peer, clientId } = await start()
      const nonce = await peer.challenge()
      const message = authMessage({ server: peer.id, client: clientId, nonce }, log.logId)
      const { genesis } = log
      const { key } = log.admin
      const signature = log.admin.sign(message)
      const credentials = { genesis, certificate: undefined, key, nonce, signature }
      await refused(peer.enter({ ...credentials, nonce: new Uint8Array(32) }), 'E_SIGNATURE')
      assert.equal((await peer.enter(credentials)).usedBytes, 0)
      await refused(peer.enter(credentials), 'E_SIGNATURE')
    })

    it('takes no nonce after a minute', async () => {
      const { peer, clientId, clock } = await start()
      const late = {
        id: peer.id,
        challenge: peer.challenge.bind(peer),
        enter: (...asked: Parameters<StoragePeer['enter']>) => {
          clock.moveDays(1 / 1440)
          return peer.enter(...asked)
        },
      } as StoragePeer
      await refused(onAccount({ peer: late, clientId }, log).account(), 'E_SIGNATURE')
    })

    it('forbids what is asked on an account that was not entered', async () => {
      const { peer } = await start()
      const account = new Uint8Array(16)
      const request = { after: undefined, limit: 1, which: 'held' } as const
      await refused(peer.listHolds(request, { account }), 'E_FORBIDDEN')
      await refused(peer.listHolds(request), 'E_FORBIDDEN')
      await refused(peer.touch([object.storageIndex], { account }), 'E_FORBIDDEN')
    })

    it('lists what an account put or touched, in pages, and nothing of others', async () => {
      await start()
      const admin = onAccount(fixture, log)
      const objects = Array.from({ length: 5 }, (_, i) => makeObject({ seed: `listed ${i}` }))
      for (const [i, each] of objects.entries()) {
        await putObjectShare(i % 2 === 0 ? admin : fixture.peer, each, 0)
      }
      await putObjectShare(onAccount(fixture, stranger), other, 0)
      const odd = objects.filter((_, i) => i % 2 === 1).map(({ storageIndex }) => storageIndex)
      assert.deepEqual(await admin.touch(odd), ['held', 'held'])
      const ascending = objects.map(({ storageIndex }) => toHex(storageIndex)).sort()
      for (const limit of [1, 2, 5, 1024]) {
        const holds = await allHolds(admin, 'held', limit)
        assert.deepEqual(
          holds.map(({ storageIndex }) => toHex(storageIndex)),
          ascending,
        )
      }
    })

    it('finds absent what is not here, and holds nothing of it', async () => {
      await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      assert.deepEqual(await admin.touch([other.storageIndex, object.storageIndex]), [
        'absent',
        'held',
      ])
      assert.equal((await allHolds(admin)).length, 1)
      assert.deepEqual(await admin.touch([]), [])
    })

    it('ends by a release what was not touched since its cutoff, and takes it back by a touch', async () => {
      const { server, clock } = await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      await putObjectShare(admin, other, 0)
      clock.moveDays(4)
      const cutoffMs = clock.nowMs() - 24 * 3600 * 1000
      await admin.touch([other.storageIndex])
      const release = releaseOf(log, [object, other], { cutoffMs })
      assert.deepEqual(await fixture.peer.release(release), { changed: 1, kept: 1 })
      assert.equal((await server.status()).quarantinedCount, 1)
      assert.deepEqual((await allHolds(admin)).length, 1)
      assert.deepEqual(await server.have([object.storageIndex]), [[0]])
      assert.deepEqual(await admin.touch([object.storageIndex]), ['readopted'])
      assert.equal((await server.status()).quarantinedCount, 0)
      assert.equal((await allHolds(admin)).length, 2)
    })

    it('takes back what is put again', async () => {
      const { server, clock } = await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      clock.moveDays(1)
      await fixture.peer.release(releaseOf(log, [object]))
      assert.equal((await server.status()).quarantinedCount, 1)
      assert.equal(await putObjectShare(admin, object, 0), 'had')
      assert.equal((await server.status()).quarantinedCount, 0)
    })

    it('takes a release back by one with a cutoff of 0', async () => {
      const { server, clock } = await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      clock.moveDays(1)
      await fixture.peer.release(releaseOf(log, [object]))
      const cancel = releaseOf(log, [object, other], { cutoffMs: 0, releaseSeq: 2 })
      assert.deepEqual(await fixture.peer.release(cancel), { changed: 1, kept: 0 })
      assert.equal((await server.status()).quarantinedCount, 0)
    })

    it('carries out each release once, in the order of their numbers', async () => {
      const { clock } = await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      clock.moveDays(1)
      const { peer } = fixture
      assert.equal((await peer.release(releaseOf(log, [object], { releaseSeq: 7 }))).changed, 1)
      await admin.touch([object.storageIndex])
      clock.moveDays(1)
      for (const releaseSeq of [7, 6]) {
        const late = releaseOf(log, [object], { releaseSeq })
        assert.deepEqual(await peer.release(late), { changed: 0, kept: 0 })
      }
      assert.equal((await peer.release(releaseOf(log, [object], { releaseSeq: 8 }))).changed, 1)
    })

    it('refuses releases that their signer may not make', async () => {
      const { peer } = await start()
      await putObjectShare(onAccount(fixture, log), object, 0)
      await refused(peer.release(releaseOf(stranger, [object], { account: log.logId })), 'E_ENTRY')
      const put = device(rights.put)
      await refused(peer.release(releaseOf(log, [object], {}, put)), 'E_CERTIFICATE')
      const release = releaseOf(log, [object])
      const signature = release.signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
      await refused(peer.release({ ...release, signature }), 'E_SIGNATURE')
      const body = formatRelease({
        ...{ account: log.logId, server: undefined, releaseSeq: 1, cutoffMs: 1 },
        storageIndexes: [other.storageIndex],
      })
      await refused(peer.release({ ...release, body }), 'E_ENTRY')
      const server = new Uint8Array(32).fill(7)
      await refused(peer.release(releaseOf(log, [object], { server })), 'E_ENTRY')
      const pruner = device(rights.release)
      assert.equal((await peer.release(releaseOf(log, [object], { cutoffMs: 1 }, pruner))).kept, 1)
    })

    it('keeps for each holder what another lets go', async () => {
      const { server, clock } = await start()
      await putObjectShare(onAccount(fixture, log), object, 0)
      await onAccount(fixture, stranger).touch([object.storageIndex])
      clock.moveDays(1)
      assert.equal((await fixture.peer.release(releaseOf(log, [object]))).changed, 1)
      assert.equal((await server.status()).quarantinedCount, 0)
      assert.equal((await fixture.peer.release(releaseOf(stranger, [object]))).changed, 1)
      assert.equal((await server.status()).quarantinedCount, 1)
    })

    it('keeps what was put without an account for a lease, and longer if it is renewed', async () => {
      const { server, peer, clock } = await start({ leaseDays: 10 })
      await putObjectShare(peer, object, 0)
      clock.moveDays(9)
      assert.deepEqual(await peer.renew([object.storageIndex, other.storageIndex]), [
        'held',
        'absent',
      ])
      clock.moveDays(9)
      assert.equal((await server.status()).quarantinedCount, 0)
      clock.moveDays(2)
      assert.equal((await server.status()).quarantinedCount, 1)
      assert.deepEqual(await peer.renew([object.storageIndex]), ['readopted'])
      assert.equal((await server.status()).quarantinedCount, 0)
      clock.moveDays(11)
      assert.deepEqual(await peer.touch([object.storageIndex]), ['readopted'])
    })

    it('makes no lease by renewing, and takes back no release', async () => {
      const { server, peer, clock } = await start()
      await putObjectShare(onAccount(fixture, log), object, 0)
      clock.moveDays(1)
      await peer.release(releaseOf(log, [object]))
      await peer.renew([object.storageIndex])
      assert.equal((await server.status()).quarantinedCount, 1)
    })

    it('allows a device what its certificate does, and no more', async () => {
      await start()
      await putObjectShare(onAccount(fixture, log), object, 0)
      const appender = onAccount(fixture, log, device(rights.append))
      await refused(putObjectShare(appender, other, 0), 'E_FORBIDDEN')
      await refused(appender.touch([object.storageIndex]), 'E_FORBIDDEN')
      const renewer = onAccount(fixture, log, device(rights.renew))
      await refused(putObjectShare(renewer, other, 0), 'E_FORBIDDEN')
      assert.deepEqual(await renewer.touch([object.storageIndex]), ['held'])
    })

    it('never lets more be held than the quota, however many put at once', async () => {
      const key = new Uint8Array(32).fill(8)
      const { server } = await start({ admission: paying(() => key, 10 * 4096) })
      const admin = onAccount(fixture, log)
      const objects = Array.from({ length: 30 }, (_, i) => makeObject({ seed: `quota ${i}` }))
      const puts = await Promise.allSettled(objects.map((each) => putObjectShare(admin, each, 0)))
      const stored = puts.filter(({ status }) => status === 'fulfilled')
      assert.equal(stored.length, 10)
      for (const put of puts) {
        if (put.status === 'rejected') await refused(Promise.reject(put.reason as Error), 'E_FULL')
      }
      assert.equal((await server.status()).shareCount, 10)
      const { usedBytes, quotaBytes } = (await onAccount(fixture, log).account())!
      assert.deepEqual({ usedBytes, quotaBytes }, { usedBytes: 40_960, quotaBytes: 40_960 })
      // another account of the same payer
      await refused(putObjectShare(onAccount(fixture, stranger), objects[0], 1), 'E_FULL')
    })

    it('charges a touch as a whole, or not at all', async () => {
      const key = new Uint8Array(32).fill(8)
      const payers: Uint8Array[] = []
      await start({ admission: paying(() => payers.at(0), 2 * 4096) })
      const objects = Array.from({ length: 3 }, (_, i) => makeObject({ seed: `touched ${i}` }))
      for (const each of objects) await putObjectShare(fixture.peer, each, 0)
      payers.push(key)
      const admin = onAccount(fixture, log)
      const indexes = objects.map(({ storageIndex }) => storageIndex)
      await refused(admin.touch(indexes), 'E_FULL')
      assert.equal((await allHolds(admin)).length, 0)
      assert.deepEqual(await admin.touch(indexes.slice(1)), ['held', 'held'])
      assert.deepEqual(await admin.touch(indexes.slice(1)), ['held', 'held'])
      await refused(admin.touch(indexes.slice(0, 1)), 'E_FULL')
    })

    it('keeps a tenth of the quota from a device that puts much', async () => {
      const key = new Uint8Array(32).fill(8)
      await start({ admission: paying(() => key, 20 * 4096) })
      const greedy = onAccount(fixture, log, device(rights.put))
      const objects = Array.from({ length: 20 }, (_, i) => makeObject({ seed: `tenth ${i}` }))
      for (const each of objects.slice(0, 18)) await putObjectShare(greedy, each, 0)
      await refused(putObjectShare(greedy, objects[18], 0), 'E_FULL')
      const author = log.stranger('another device')
      const certificate = log.certificateFor(author.key, undefined, rights.put)
      const other = onAccount(fixture, log, { author, certificate })
      await putObjectShare(other, objects[18], 0)
      await putObjectShare(onAccount(fixture, log), objects[19], 0)
    })

    it('keeps to what a certificate allows in 30 days', async () => {
      const { clock } = await start()
      const author = log.stranger('a modest device')
      const limits = { bytesPer30Days: 8192, entriesPerDay: 1 }
      const certificate = log.certificateFor(author.key, limits, rights.put)
      const modest = onAccount(fixture, log, { author, certificate })
      await putObjectShare(modest, object, 0)
      await putObjectShare(modest, object, 1)
      await refused(putObjectShare(modest, object, 2), 'E_RATE')
      clock.moveDays(31)
      await putObjectShare(modest, object, 2)
    })

    it('refuses arguments out of bounds', async () => {
      const { peer } = await start()
      const many = Array.from({ length: 1025 }, () => object.storageIndex)
      await refused(peer.touch(many), 'E_BAD_REQUEST')
      await refused(peer.renew(many), 'E_BAD_REQUEST')
      await refused(peer.touch([object.root]), 'E_BAD_REQUEST')
      for (const limit of [0, 1025, 1.5]) {
        await refused(peer.listHolds({ after: undefined, limit, which: 'held' }), 'E_BAD_REQUEST')
      }
      const release = releaseOf(log, [object])
      await refused(peer.release({ ...release, header: new Uint8Array(5000) }), 'E_BAD_REQUEST')
      await refused(peer.release({ ...release, body: new Uint8Array(0) }), 'E_BAD_REQUEST')
    })

    it('touches all of the most indexes there may be', async () => {
      await start()
      const admin = onAccount(fixture, log)
      await putObjectShare(admin, object, 0)
      const indexes = Array.from({ length: 1024 }, (_, i) =>
        i === 1023 ? object.storageIndex : new Uint8Array(20).fill(i),
      )
      const outcomes = await admin.touch(indexes)
      assert.equal(outcomes.filter((outcome) => outcome === 'absent').length, 1023)
      assert.equal(outcomes[1023], 'held')
      assert.ok(equalBytes((await allHolds(admin))[0].storageIndex, object.storageIndex))
    })
  })
}
