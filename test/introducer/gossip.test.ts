import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { signRevocationList } from '../../src/members/revocation-list.ts'
import { Revocations } from '../../src/members/revocations.ts'
import { announcementOf, dayMs, facts } from './nodes.ts'
import { idOf, namesOf, targetOf, World } from './world.ts'

const east = targetOf('east')
const west = targetOf('west')
const third = targetOf('third')
const gridSeed = new Uint8Array(32).fill(1)
const gridId = publicKeyOfSeed(gridSeed)

function announced(world: World, name: string) {
  const nowMs = world.clock.nowMs()
  const said = { seq: nowMs, expiresAtMs: nowMs + dayMs, facts: { ...facts, nickname: name } }
  return announcementOf(name, said)
}

describe('introducers among themselves', () => {
  it('pass on what the others have, so that any one will do', async () => {
    const world = new World('gossip')
    await world.gossip('east', [west])
    await world.gossip('west', [east])
    await world.node('a', [east])
    await world.node('b', [west])
    await world.pass(60_000)
    const client = await world.subscriber('client', [west])
    assert.deepEqual(namesOf(client), ['a', 'b'])
    const other = await world.subscriber('other client', [east])
    assert.deepEqual(namesOf(other), ['a', 'b'])
  })

  it('pass news over two steps, and come to rest', async () => {
    const world = new World('chain')
    await world.gossip('east', [west])
    await world.gossip('west', [east, third])
    await world.gossip('third', [west])
    await world.node('a', [east])
    await world.pass(120_000)
    const client = await world.subscriber('client', [third])
    assert.deepEqual(namesOf(client), ['a'])
    const before = world.clock.eventCount
    await world.pass(60_000)
    // a list every 21 s on each link, and nothing that goes round in circles
    assert.ok(world.clock.eventCount - before < 2_000, `${world.clock.eventCount - before} events`)
  })

  it('keep seq and expiry as they were signed', async () => {
    const world = new World('old')
    const { introducer } = await world.gossip('east', [west])
    const old = announced(world, 'a')
    await world.pass(1_000)
    const newer = announced(world, 'a')
    introducer.hear(newer, west.id)
    introducer.hear(old, west.id)
    const client = await world.subscriber('client', [east])
    assert.equal(client.nodes().length, 1)
    await world.pass(2 * dayMs)
    assert.equal(introducer.nodeCount, 0)
    introducer.hear(old, west.id)
    assert.equal(introducer.nodeCount, 0)
  })

  it('hear nobody but those they were told of', async () => {
    const world = new World('stranger')
    const { introducer } = await world.gossip('east', [west])
    introducer.hear(announced(world, 'a'), idOf('somebody'))
    assert.equal(introducer.nodeCount, 0)
  })

  it('server 32: one that floods fills its share, and crowds nobody out', async () => {
    const world = new World('flood')
    const { introducer } = await world.gossip('east', [west, third])
    for (let i = 0; i < 1_000; i++) introducer.hear(announced(world, `sybil ${i}`), west.id)
    assert.equal(introducer.nodeCount, 333)
    introducer.hear(announced(world, 'honest'), third.id)
    assert.equal(introducer.nodeCount, 334)
    await world.node('direct', [east])
    await world.pass(5_000)
    assert.equal(introducer.nodeCount, 335)
  })

  it('server 42: carry the list of the revoked to whoever has an older one', async () => {
    const world = new World('revoked')
    const shelf = async () => Revocations.open({ gridId })
    const shelves = [await shelf(), await shelf(), await shelf(), await shelf()]
    await world.gossip('east', [west], { revocations: shelves[0] })
    await world.gossip('west', [east], { revocations: shelves[1] })
    await world.subscriber('server', [west], { revocations: shelves[2] })
    // the owner of the grid speaks to one of them only
    await shelves[3].take(signRevocationList({ seq: 7, serials: [4, 9] }, gridSeed))
    await world.subscriber('owner', [east], { revocations: shelves[3] })
    await world.pass(90_000)
    for (const { serials } of shelves) assert.deepEqual(serials, [4, 9])
    const late = await shelf()
    await world.subscriber('late', [west], { revocations: late })
    assert.equal(late.isRevoked(9), true)
  })

  it('carry no list that the grid key has not signed', async () => {
    const world = new World('forged')
    const honest = await Revocations.open({ gridId })
    await world.gossip('east', [], { revocations: honest })
    const forged = signRevocationList({ seq: 9, serials: [1] }, new Uint8Array(32).fill(2))
    const liar = { seq: 9, bytes: forged, hear: async () => false }
    await world.subscriber('liar', [east], { revocations: liar })
    await world.pass(60_000)
    assert.equal(honest.seq, 0)
  })
})
