import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { channelPair } from '../../src/base/channel.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { Budget } from '../../src/base/limit.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { signMemberCertificate } from '../../src/members/member-certificate.ts'
import { Membership } from '../../src/members/membership.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { type Caller, openCaller } from '../../src/wire/caller.ts'
import { ManualClock } from '../cli/fake-world.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { refused } from '../suites/storage-peer.ts'

const gridSeed = new Uint8Array(32).fill(1)
const publicKey = publicKeyOfSeed(new Uint8Array(32).fill(2))
const member = { kindBits: 3, publicKey, quotaBytes: 0, notAfterMs: 5000, serial: 1 }
const certificate = signMemberCertificate(member, gridSeed)

describe('gate of a server', () => {
  let clock: ManualClock
  let caller: Caller
  let peer: RemotePeer
  const object = makeObject({ k: 1, n: 2 })

  beforeEach(async () => {
    clock = new ManualClock()
    const store = new MemoryStore()
    await store.open()
    const [near, far] = channelPair({ ids: [peerIdOf(publicKey), 'server'] })
    const gridId = publicKeyOfSeed(gridSeed)
    const admission = new Membership({ mode: 'signed', gridId, clock })
    const local = new LocalPeer({ id: 'server', store, clock })
    void serveStorage(local, far, { clock, budget: new Budget(2 ** 27), admission })
    caller = await openCaller(near, { clock })
    peer = new RemotePeer('server', caller)
  })
  afterEach(() => caller.close())

  const put = () => peer.putShare(object.storageIndex, 0, bodyOf(object.shares[0]))

  it('refuses a stranger every verb, before a byte of a body', async () => {
    await refused(put(), 'E_FORBIDDEN')
    await refused(peer.have([object.storageIndex]), 'E_FORBIDDEN')
    await refused(peer.status(), 'E_FORBIDDEN')
    await refused(peer.showMembership(new Uint8Array(257)), 'E_BAD_REQUEST')
    await refused(peer.showMembership(certificate.subarray(1)), 'E_CERTIFICATE')
    await refused(put(), 'E_FORBIDDEN')
  })

  it('lets in who shows a certificate, and to the end of it only reading afterwards', async () => {
    await peer.showMembership(certificate)
    assert.equal(await put(), 'stored')
    clock.advance(5000)
    await refused(put(), 'E_CERTIFICATE')
    assert.deepEqual(await peer.have([object.storageIndex]), [[0]])
  })

  it('takes nothing but one certificate', async () => {
    for (const args of [[], [1], [certificate, 0], 1]) {
      await refused(caller.call('member', args, { deadlineMs: 1000 }), 'E_BAD_REQUEST')
    }
  })
})
