/** What members are charged, and never more than their quota (docs/specs/holds.md, "Quota"). */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes, utf8 } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { rights } from '../../../src/log/certificate.ts'
import { type Admission, freeTerms } from '../../../src/storage/admission.ts'
import { payerHolder } from '../../../src/storage/holds/held-object.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { onAccount, releaseOf } from '../../suites/hold-peer.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { heldBody, putObjectShare, refused } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

const payerOf = (client: string): Uint8Array => sha256(utf8(client))

/** Each client pays for itself, by a quota of its own. */
class Stand {
  readonly clock = new MovedClock()
  readonly quotas = new Map<string, number>()
  readonly server: LocalPeer
  holds: OpenHolds | undefined

  constructor() {
    const admission: Admission = {
      admit: (client = '') => {
        const terms = { payer: payerOf(client), quotaBytes: this.quotas.get(client) }
        return { admitted: true, ...freeTerms, ...terms }
      },
      show: () => {},
      termsOf: () => undefined,
    }
    const open = async (): Promise<OpenHolds> => (this.holds = await memoryHolds())
    const holds = { open, random: new SystemRandom(), admission }
    const { clock } = this
    const store = new MemoryStore()
    this.server = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0, holds })
  }

  usedBy(client: string): number {
    return this.holds!.index.totals(payerHolder(payerOf(client))).chargedBytes
  }
}

describe('Quota', () => {
  const object = makeObject()

  it('sets aside for a put all that will be charged: the whole object, where others hold it', async () => {
    const stand = new Stand()
    const { server, clock, quotas } = stand
    const log = new TestLog()
    const owner = onAccount({ peer: asClient(server, 'owner'), clientId: 'owner' }, log)
    for (const number of [0, 1, 2]) await putObjectShare(owner, object, number)
    const shareBytes = stand.usedBy('owner') / 3
    const poor = asClient(server, 'poor')
    quotas.set('poor', 3 * shareBytes)
    await refused(putObjectShare(poor, object, 3), 'E_FULL')
    assert.equal(stand.usedBy('poor'), 0)
    // what nobody holds any more is taken back by a put, before its body
    clock.moveDays(1)
    await server.release(releaseOf(log, [object]))
    await refused(putObjectShare(poor, object, 3), 'E_FULL')
    assert.equal(stand.usedBy('poor'), 0)
    quotas.set('poor', 4 * shareBytes)
    assert.equal(await putObjectShare(poor, object, 3), 'stored')
    assert.equal(stand.usedBy('poor'), 4 * shareBytes)
  })

  it('sets a share aside for each hold that one pays for', async () => {
    const stand = new Stand()
    const { server, quotas } = stand
    const peer = asClient(server, 'client')
    const [one, two] = ['one', 'two'].map((name) =>
      onAccount({ peer, clientId: 'client' }, new TestLog(name)),
    )
    await putObjectShare(one, object, 0)
    await two.touch([object.storageIndex])
    const shareBytes = stand.usedBy('client') / 2
    quotas.set('client', 3 * shareBytes)
    await refused(putObjectShare(one, object, 1), 'E_FULL')
    quotas.set('client', 4 * shareBytes)
    assert.equal(await putObjectShare(one, object, 1), 'stored')
    assert.equal(stand.usedBy('client'), 4 * shareBytes)
  })

  it('counts what a device puts at once against what its certificate allows', async () => {
    const { server } = new Stand()
    const log = new TestLog()
    const author = log.stranger('a device')
    const limits = { bytesPer30Days: 10_000, entriesPerDay: 10 }
    const certificate = log.certificateFor(author.key, limits, rights.put)
    const peer = asClient(server, 'client')
    const device = onAccount({ peer, clientId: 'client' }, log, { author, certificate })
    await device.account()
    const others = ['a', 'b', 'c'].map((seed) => makeObject({ seed }))
    const bodies = others.slice(0, 2).map(({ shares }) => heldBody(shares[0]))
    const puts = bodies.map((body, i) => device.putShare(others[i].storageIndex, 0, body))
    await Promise.all(bodies.map(({ reached }) => reached))
    await refused(putObjectShare(device, others[2], 0), 'E_RATE')
    for (const body of bodies) body.go()
    await Promise.all(puts)
    await refused(putObjectShare(device, others[2], 0), 'E_RATE')
  })

  it('charges whoever touches last on an account, and only if it has room', async () => {
    const stand = new Stand()
    const { server, quotas, clock } = stand
    const log = new TestLog()
    const [rich, poor] = ['rich', 'poor'].map((clientId) =>
      onAccount({ peer: asClient(server, clientId), clientId }, log),
    )
    await putObjectShare(rich, object, 0)
    const shareBytes = stand.usedBy('rich')
    quotas.set('poor', shareBytes - 1)
    await refused(poor.touch([object.storageIndex]), 'E_FULL')
    assert.deepEqual([stand.usedBy('rich'), stand.usedBy('poor')], [shareBytes, 0])
    quotas.set('poor', shareBytes)
    assert.deepEqual(await poor.touch([object.storageIndex]), ['held'])
    assert.deepEqual([stand.usedBy('rich'), stand.usedBy('poor')], [0, shareBytes])
    // what is put while the clock stands before what it showed is not dated before that
    clock.jumpDays(-2)
    const late = makeObject({ seed: 'late' })
    await putObjectShare(rich, late, 0)
    const { holds } = await rich.listHolds({ after: undefined, limit: 9, which: 'held' })
    const touchedMs = (of: Uint8Array): number =>
      holds.find(({ storageIndex }) => equalBytes(storageIndex, of))!.touchedMs
    assert.ok(touchedMs(late.storageIndex) >= touchedMs(object.storageIndex))
  })
})
