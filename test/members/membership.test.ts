import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import {
  type MemberCertificate,
  signMemberCertificate,
} from '../../src/members/member-certificate.ts'
import { graceMs, Membership } from '../../src/members/membership.ts'
import { signRevocationList } from '../../src/members/revocation-list.ts'
import { Revocations } from '../../src/members/revocations.ts'
import { Machine } from '../storage/machine.ts'
import { ManualClock } from '../cli/fake-world.ts'

const gridSeed = new Uint8Array(32).fill(1)
const gridId = publicKeyOfSeed(gridSeed)
const key = publicKeyOfSeed(new Uint8Array(32).fill(2))
const id = peerIdOf(key)
const strangerId = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(3)))
const endMs = 1000

function certificate(changed: Partial<MemberCertificate> = {}, seed = gridSeed): Uint8Array {
  const member = { kindBits: 3, publicKey: key, quotaBytes: 500, notAfterMs: endMs, serial: 4 }
  return signMemberCertificate({ ...member, ...changed }, seed)
}

async function signedGrid() {
  const clock = new ManualClock()
  const revocations = await Revocations.open({ gridId })
  const membership = new Membership({ mode: 'signed', gridId, clock, revocations })
  return { clock, revocations, membership }
}

const isCode =
  (code: ErrorCode, text?: RegExp) =>
  (error: unknown): boolean =>
    isGridError(error, code) && (text === undefined || text.test(error.message))

function why(membership: Membership, client: string, wish: 'read' | 'write'): string {
  const verdict = membership.admit(client, wish)
  return verdict.admitted ? 'admitted' : verdict.why.code
}

describe('membership', () => {
  it('admits everyone to an open grid, and uploads anywhere', () => {
    const membership = new Membership({ mode: 'open', clock: new ManualClock() })
    assert.equal(why(membership, strangerId, 'write'), 'admitted')
    assert.equal(membership.serverRefusal(strangerId, undefined), undefined)
  })

  it('admits those of a list and nobody else', () => {
    const clock = new ManualClock()
    const membership = new Membership({ mode: 'list', clock, listed: new Set([id]) })
    assert.equal(why(membership, id, 'write'), 'admitted')
    assert.equal(why(membership, strangerId, 'read'), 'E_FORBIDDEN')
    assert.equal(membership.serverRefusal(id, undefined), undefined)
    assert.equal(membership.serverRefusal(strangerId, undefined)?.code, 'E_FORBIDDEN')
    assert.equal(membership.admit(undefined, 'write').admitted, true)
  })

  it('admits to a signed grid who has shown a certificate, on its terms', async () => {
    const { membership } = await signedGrid()
    assert.equal(why(membership, id, 'read'), 'E_FORBIDDEN')
    membership.show(id, certificate())
    const terms = {
      payer: key,
      quotaBytes: 500,
      readOnlyAfterMs: endMs,
      purgeAfterMs: endMs + graceMs,
    }
    assert.deepEqual(membership.admit(id, 'write'), { admitted: true, ...terms })
    assert.deepEqual(membership.termsOf(key), terms)
    assert.equal(why(membership, strangerId, 'read'), 'E_FORBIDDEN')
    membership.show(id, certificate({ quotaBytes: 0, serial: 5 }))
    assert.equal(membership.termsOf(key)?.quotaBytes, undefined)
    // an older one does not bring an older bound back
    membership.show(id, certificate())
    assert.equal(membership.termsOf(key)?.quotaBytes, undefined)
  })

  it('tells the end of a member whose time was over before it was met, or that was put out', async () => {
    const { membership, clock, revocations } = await signedGrid()
    clock.advance(endMs + 2 * graceMs)
    assert.throws(() => membership.show(id, certificate()), isCode('E_CERTIFICATE'))
    assert.equal(membership.termsOf(key)?.purgeAfterMs, endMs + graceMs)
    assert.equal(why(membership, id, 'read'), 'E_FORBIDDEN')
    const notAfterMs = 100 * graceMs
    membership.show(id, certificate({ serial: 5, notAfterMs }))
    assert.equal(membership.termsOf(key)?.readOnlyAfterMs, notAfterMs)
    await revocations.take(signRevocationList({ seq: 1, serials: [5] }, gridSeed))
    const revokedMs = clock.nowMs()
    assert.equal(membership.termsOf(key)?.readOnlyAfterMs, revokedMs)
    clock.advance(5000)
    assert.equal(membership.termsOf(key)?.readOnlyAfterMs, revokedMs)
    assert.equal(membership.termsOf(new Uint8Array(32)), undefined)
  })

  it('takes no certificate of another peer, of another grid, or made up', async () => {
    const { membership } = await signedGrid()
    const refused = isCode('E_CERTIFICATE')
    assert.throws(() => membership.show(strangerId, certificate()), refused)
    const foreign = certificate({}, new Uint8Array(32).fill(9))
    assert.throws(() => membership.show(id, foreign), refused)
    assert.throws(() => membership.show(id, new Uint8Array(0)), refused)
    assert.equal(why(membership, id, 'read'), 'E_FORBIDDEN')
  })

  it('looks into the same bytes once, good or not: strangers announce certificates by the thousand', async () => {
    const { membership } = await signedGrid()
    const forged = certificate({}, new Uint8Array(32).fill(9))
    forged.set(certificate().subarray(64), 64)
    const refusal = membership.serverRefusal(id, forged)
    assert.equal(refusal?.code, 'E_CERTIFICATE')
    assert.equal(membership.serverRefusal(id, forged), refusal)
    assert.equal(membership.serverRefusal(id, certificate()), undefined)
  })

  it('lets a member whose time is over read for 90 days, and says since when', async () => {
    const { membership, clock } = await signedGrid()
    membership.show(id, certificate())
    clock.advance(endMs)
    const verdict = membership.admit(id, 'write')
    assert.ok(!verdict.admitted)
    assert.match(verdict.why.message, /membership 4 ended on 1970-01-01: .*grid join/)
    assert.equal(verdict.why.code, 'E_CERTIFICATE')
    assert.equal(why(membership, id, 'read'), 'admitted')
    membership.show(id, certificate())
    assert.equal(membership.serverRefusal(id, certificate())?.code, 'E_CERTIFICATE')
    clock.advance(graceMs)
    assert.equal(why(membership, id, 'read'), 'E_CERTIFICATE')
    assert.throws(() => membership.show(id, certificate()), isCode('E_CERTIFICATE', /ended on/))
  })

  it('server 42: refuses a key that was revoked, as a client and as a server', async () => {
    const { membership, revocations } = await signedGrid()
    membership.show(id, certificate())
    assert.equal(membership.serverRefusal(id, certificate()), undefined)
    await revocations.take(signRevocationList({ seq: 1, serials: [4] }, gridSeed))
    assert.equal(why(membership, id, 'read'), 'E_REVOKED')
    assert.throws(() => membership.show(id, certificate()), isCode('E_REVOKED'))
    assert.equal(membership.serverRefusal(id, certificate())?.code, 'E_REVOKED')
    membership.show(id, certificate({ serial: 5 }))
    assert.equal(why(membership, id, 'write'), 'admitted')
  })

  it('tells kinds apart', async () => {
    const { membership } = await signedGrid()
    membership.show(id, certificate({ kindBits: 1 }))
    assert.equal(why(membership, id, 'write'), 'E_FORBIDDEN')
    assert.equal(why(membership, id, 'read'), 'admitted')
    assert.equal(membership.serverRefusal(id, certificate({ kindBits: 1 })), undefined)
    const clientOnly = membership.serverRefusal(id, certificate({ kindBits: 2 }))
    assert.equal(clientOnly?.code, 'E_FORBIDDEN')
    assert.equal(membership.serverRefusal(id, undefined)?.code, 'E_CERTIFICATE')
    assert.equal(membership.serverRefusal(strangerId, certificate())?.code, 'E_CERTIFICATE')
  })
})

describe('revocations', () => {
  const lists = [1, 2].map((seq) => signRevocationList({ seq, serials: [seq] }, gridSeed))

  it('never go back, and survive a restart', async () => {
    const machine = await new Machine('revocations').init()
    const keptAt = { disk: machine.disk.mount(machine.clock), path: 'home/revoked' }
    const revocations = await machine.run(Revocations.open({ gridId, keptAt }))
    assert.equal(await machine.run(revocations.take(lists[1])), true)
    assert.equal(await machine.run(revocations.take(lists[0])), false)
    const other = signRevocationList({ seq: 2, serials: [7] }, gridSeed)
    assert.equal(await machine.run(revocations.take(other)), false)
    assert.deepEqual(revocations.serials, [2])
    const again = await machine.run(Revocations.open({ gridId, keptAt }))
    assert.deepEqual(again.serials, [2])
    assert.equal(again.seq, 2)
  })

  it('are taken from nobody but the grid key', async () => {
    const revocations = await Revocations.open({ gridId })
    const forged = signRevocationList({ seq: 9, serials: [] }, new Uint8Array(32).fill(5))
    assert.equal(await revocations.hear(forged), false)
    await assert.rejects(revocations.take(forged), isCode('E_CERTIFICATE'))
    assert.equal(revocations.seq, 0)
  })
})
