import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import type { Net } from '../../../src/base/net.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import type { KnownNode } from '../../../src/introducer/subscriber.ts'
import { UploadSet } from '../../../src/introducer/upload-set.ts'
import { signMemberCertificate } from '../../../src/members/member-certificate.ts'
import { Membership } from '../../../src/members/membership.ts'
import { NetworkPeers } from '../../../src/node/peers/network-peers.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { ManualClock } from '../../cli/fake-world.ts'
import { facts } from '../../introducer/nodes.ts'

const gridSeed = new Uint8Array(32).fill(1)
const gridId = publicKeyOfSeed(gridSeed)
const addresses = ['/ip4/203.0.113.7/tcp/7780']

function keyOf(i: number): Uint8Array {
  return publicKeyOfSeed(new Uint8Array(32).fill(100 + i))
}

function node(i: number, changed: Partial<KnownNode> = {}): KnownNode {
  const member = { kindBits: 1, quotaBytes: 0, notAfterMs: 1000, serial: i + 1 }
  const certificate = signMemberCertificate({ ...member, publicKey: keyOf(i) }, gridSeed)
  const heard = { stale: false, unheard: false }
  return { id: peerIdOf(keyOf(i)), addresses, facts, certificate, ...heard, ...changed }
}

describe('peers of a network', () => {
  const clock = new ManualClock()
  let nodes: KnownNode[]
  let revoked: number[]
  let peers: NetworkPeers

  beforeEach(async () => {
    nodes = []
    revoked = []
    const revocations = { isRevoked: (serial: number) => revoked.includes(serial) }
    peers = new NetworkPeers({
      net: { id: 'this node' } as Net,
      clock,
      fixed: [{ id: peerIdOf(keyOf(50)), addresses }],
      subscriber: {
        nodes: () => nodes,
        introducers: () => [],
        tried: async () => {},
        close: async () => {},
      },
      membership: new Membership({ mode: 'signed', gridId, clock, revocations }),
      uploads: await UploadSet.open(),
    })
  })

  /** Numbers of the nodes that take uploads. */
  function accepting(): number[] {
    const ids = peers.candidates().flatMap(({ id, accepts }) => (accepts ? [id] : []))
    return Array.from({ length: 60 }, (_, i) => i).filter((i) => ids.includes(peerIdOf(keyOf(i))))
  }

  it('upload to members only, and read from all', () => {
    nodes = [
      node(0),
      node(1, { certificate: undefined }),
      node(2, { certificate: node(0).certificate }),
      node(3, { facts: { ...facts, readOnly: true } }),
      node(4, { stale: true }),
      // these two cannot be asked for shares at all
      node(5, { facts: { ...facts, suites: [] } }),
      node(6, { addresses: [] }),
    ]
    assert.deepEqual(accepting(), [0])
    assert.equal(peers.candidates().length, 6)
  })

  it('server 32: name a thousand nodes without looking through a thousand for each', () => {
    const clock = new ManualClock()
    let looks = 0
    const subscriber = {
      nodes: () => {
        looks++
        return nodes
      },
      introducers: () => [],
      tried: async () => {},
      close: async () => {},
    }
    nodes = Array.from({ length: 50 }, (_, i) => node(i, { facts: { ...facts, nickname: `${i}` } }))
    const own = { peer: {} as StoragePeer, nickname: '', domain: undefined, accepts: true }
    const net = { id: 'this node' } as Net
    peers = new NetworkPeers({ net, clock, fixed: [], subscriber, own })
    assert.equal(peers.nickname(nodes[7].id), '7')
    assert.deepEqual(
      peers.candidates().map(({ id }) => peers.nickname(id)),
      ['this node', ...nodes.map(({ facts: { nickname } }) => nickname)],
    )
    assert.equal(looks, 2)
    assert.equal(peers.nickname('nobody'), 'nobody')
    assert.equal(peers.nickname('this node'), 'this node', 'which has no name')
  })

  it('server 42: upload to no server whose key was revoked, also among those held on to', () => {
    nodes = [0, 1, 2, 3, 4].map((i) => node(i))
    assert.deepEqual(accepting(), [0, 1, 2, 3, 4])
    revoked = [2, 3, 4, 5]
    assert.deepEqual(accepting(), [0])
  })

  it('server 31: go on with those they know while most are left out, and say so', () => {
    nodes = [0, 1, 2, 3].map((i) => node(i))
    accepting()
    assert.equal(peers.note(), undefined)
    const sybils = [7, 8, 9].map((i) => node(i))
    nodes = [node(0), ...[1, 2, 3].map((i) => node(i, { stale: true })), ...sybils]
    assert.deepEqual(accepting(), [0, 1, 2, 3])
    assert.match(peers.note() ?? '', /^3 of the 4 servers known .* run: grid introducer accept$/)
    peers.acceptServers()
    assert.deepEqual(accepting(), [0, 7, 8, 9])
    assert.equal(peers.note(), undefined)
  })

  it('go on while nobody can be asked, as one announcement after the other expires', () => {
    nodes = [0, 1, 2, 3, 4, 5].map((i) => node(i))
    accepting()
    for (let i = 0; i < nodes.length; i++) {
      nodes[i] = node(i, { stale: true, unheard: true })
      assert.deepEqual(accepting(), [0, 1, 2, 3, 4, 5])
    }
    assert.equal(peers.note(), undefined)
    revoked = [3]
    assert.deepEqual(accepting(), [0, 1, 3, 4, 5], 'but with members only')
  })
})
