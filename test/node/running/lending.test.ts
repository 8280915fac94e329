import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { type Channel, channelPair } from '../../../src/base/channel.ts'
import { SystemClock } from '../../../src/base/clock.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { GridError, isGridError } from '../../../src/base/errors.ts'
import { Budget } from '../../../src/base/limit.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import type { InviteBook } from '../../../src/members/invite-book.ts'
import { memberKinds } from '../../../src/members/member-certificate.ts'
import type { Member, MemberBook } from '../../../src/members/member-book.ts'
import type { Candidate } from '../../../src/node/peers/candidate.ts'
import type { PeerPool } from '../../../src/node/peers/peer-pool.ts'
import { controlVerbs } from '../../../src/node/running/control.ts'
import {
  formatRequest,
  parseInvites,
  parseMembers,
} from '../../../src/node/running/control-messages.ts'
import type { Invites } from '../../../src/node/running/invites.ts'
import { askNode, borrowPeers, lend } from '../../../src/node/running/lending.ts'
import type { Verbs } from '../../../src/wire/answerer.ts'

const clock = new SystemClock()
const id = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(1)))
/** The longest label that a stranger may announce. */
const label = '\u{1f600}'.repeat(64)

function poolOf(count: number): PeerPool {
  const candidates = Array.from({ length: count }, (_, i): Candidate => {
    return { id: `${id}${i}`, domain: label, accepts: true, peer: {} as Candidate['peer'] }
  })
  return {
    ready: async () => {},
    candidates: () => candidates,
    nickname: () => label,
    note: () => undefined,
    close: async () => {},
  }
}

function connectTo(pool: PeerPool, more?: Verbs): () => Promise<Channel> {
  return async () => {
    const [near, far] = channelPair({ ids: [id, id] })
    void lend(pool, far, { clock, budget: new Budget(2 ** 24), more })
    return near
  }
}

describe('lending', () => {
  it('lends all peers, however many strangers announce, with whatever names', async () => {
    const pool = await borrowPeers(connectTo(poolOf(1000)), { clock })
    const candidates = pool.candidates()
    assert.equal(candidates.length, 1000)
    assert.deepEqual([candidates[999].id, candidates[999].domain], [`${id}999`, label])
    assert.equal(pool.nickname(`${id}999`), label)
  })

  it('tells the owner why not, and what to do', async () => {
    const create = async (): Promise<string> => {
      throw new GridError('E_EXISTS', 'there is one', { hint: 'give another --name' })
    }
    const verbs = controlVerbs({
      ...{ clock, members: undefined, peers: { acceptServers: () => undefined } },
      invites: { create, desk: {} } as unknown as Invites,
    })
    const connect = connectTo(poolOf(0), verbs)
    const terms = { kindBits: 3, quotaBytes: 0, memberMs: 1, approvesItself: false }
    const request = formatRequest({ ...terms, name: '', lifetimeMs: 1, addresses: [] })
    for (const [verb, args, code, text] of [
      ['createInvite', request, 'E_EXISTS', 'there is one; try: give another --name'],
      ['members', [], 'E_CONFIG', 'this home does not hold the key of a grid'],
    ] as const) {
      await assert.rejects(askNode(connect, { verb, args }, { clock }), (error) => {
        assert.ok(isGridError(error, code), String(error))
        assert.ok(error.message.startsWith(text), error.message)
        return true
      })
    }
  })

  it('tells the owner of all members and invitations', async () => {
    const ticketHash = new Uint8Array(32)
    const list: Member[] = Array.from({ length: 10_000 }, (_, i) => ({
      ...{ serial: i + 1, name: label, kindBits: memberKinds.client, publicKey: ticketHash },
      ...{ quotaBytes: 0, notAfterMs: 1, isRevoked: false },
    }))
    const invites = Array.from({ length: 256 }, (_, i): ReturnType<InviteBook['list']>[number] => ({
      ...{
        name: `${i}`,
        kindBits: 3,
        quotaBytes: 0,
        memberMs: 1,
        approvesItself: true,
        ticketHash,
      },
      ...{ expiresAtMs: 1, state: 'joined', certificate: ticketHash },
      joiner: { id, nickname: label, address: 'x'.repeat(253) },
    }))
    const verbs = controlVerbs({
      clock,
      members: { list: () => list } as unknown as MemberBook,
      invites: { list: () => invites, desk: { wordsOf: () => label } } as unknown as Invites,
      peers: { acceptServers: () => undefined },
    })
    const connect = connectTo(poolOf(0), verbs)
    const ask = (verb: string) => askNode(connect, { verb, args: [] }, { clock })
    assert.deepEqual(parseMembers(await ask('members')), list)
    assert.equal(parseInvites(await ask('invites')).length, 256)
  })
})
