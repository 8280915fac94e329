/** One operator who shows as many servers, to hold more of an object than anyone may, and then be gone. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { idOf } from '../introducer/world.ts'
import { content, range } from './attacked-grid.ts'
import { type Announced, CrowdedGrid } from './crowded-grid.ts'

const network = 'net=198.51.7.0/24'

/** Servers of one network; `failureDomain` says what each of them claims of itself. */
function sybils(count: number, failureDomain = 'operator=mallory'): Announced[] {
  return range(0, count).map((i) => ({
    ...{ name: `sybil ${i}`, address: `/ip4/198.51.7.${i + 1}/tcp/7780`, failureDomain },
  }))
}

/** Servers of as many operators, each in a network of its own. */
function honest(count: number): Announced[] {
  return range(0, count).map((i) => ({
    ...{ name: `honest ${i}`, address: `/ip4/203.0.${i}.1/tcp/7780` },
    failureDomain: `o${i}`,
  }))
}

function namesOf(servers: readonly Announced[]): string[] {
  return servers.map(({ name }) => name)
}

/** Of a file that takes two ways: a small one is sent without asking first who has it. */
const sizes = [1000, 300_000]

describe('one operator', () => {
  it('server 30: ten servers of one operator in one /24 get three shares of ten, and take no file with them', async () => {
    const theirs = sybils(10)
    const crowded = await CrowdedGrid.of('few', [...theirs, ...honest(7)])
    const puts = []
    for (const size of sizes) puts.push(await crowded.put(content(size)))
    for (const { sharesStored, notes } of puts) assert.deepEqual([sharesStored, notes], [10, []])
    assert.equal(await crowded.shareCount(namesOf(theirs)), 3 * sizes.length)
    assert.equal(await crowded.shareCount(namesOf(honest(7))), 7 * sizes.length)
    const { tolerance } = await crowded.view()
    assert.deepEqual(tolerance, {
      ...{ servers: 7, domains: 5, worst: { label: network, shareCount: 3 } },
    })
    crowded.vanish([...namesOf(theirs), 'honest 0', 'honest 1', 'honest 2', 'honest 3'])
    for (const [i, { cap }] of puts.entries())
      assert.deepEqual(await crowded.get(cap), content(sizes[i]))
  })

  for (const others of [6, 3, 2, 0]) {
    const theirShares = 10 - others
    it(`server 30: with ${others} other servers the put and the status say that ${theirShares} shares may vanish at once`, async () => {
      const theirs = sybils(10)
      const crowded = await CrowdedGrid.of('crowded', [...theirs, ...honest(others)])
      const warning = `${theirShares} shares of one object are on servers of ${network}, and may be lost together`
      for (const size of sizes) {
        const { sharesStored, notes } = await crowded.put(content(size))
        assert.equal(sharesStored, 10)
        assert.ok(notes.length === 1 && notes[0].startsWith(warning), notes.join())
      }
      assert.equal(await crowded.shareCount(namesOf(theirs)), theirShares * sizes.length)
      const { tolerance } = await crowded.view()
      assert.deepEqual(tolerance?.worst, { label: network, shareCount: theirShares })
      assert.equal(tolerance?.domains === 0, theirShares > 7)
    })
  }

  it('server 30: however many servers one operator shows, and whatever they claim, others get the rest', async () => {
    const others = honest(10)
    const claimed = others.map(({ failureDomain }) => failureDomain).join(',')
    for (const claims of ['operator=mallory', claimed]) {
      const theirs = sybils(40, claims)
      const crowded = await CrowdedGrid.of(claims, [...theirs, ...others])
      for (const size of sizes) {
        for (let salt = 0; salt < 5; salt++) {
          const before = await crowded.shareCount(namesOf(theirs))
          assert.equal((await crowded.put(content(size, salt))).sharesStored, 10)
          const got = (await crowded.shareCount(namesOf(theirs))) - before
          assert.ok(got <= 3, `${got} shares of one object`)
        }
      }
    }
  })

  it('server 30: of the ten servers of a log one operator gets three, who may lie, and not a quorum', async () => {
    const theirs = sybils(20)
    const crowded = await CrowdedGrid.of('log', [...theirs, ...honest(7)])
    const own = namesOf(theirs).map(idOf)
    for (let i = 0; i < 3; i++) {
      const servers = await crowded.foundLog()
      assert.equal(servers.length, 10)
      assert.equal(servers.filter((id) => own.includes(id)).length, 3)
    }
  })
})
