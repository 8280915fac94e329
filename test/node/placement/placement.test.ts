import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  crowdingOf,
  defaultRedundancy,
  domainLoads,
  domainLimit,
  matchShares,
  permuted,
  type Site,
  spread,
} from '../../../src/node/placement/placement.ts'

function site(id: string, domain?: string): Site {
  return { id, domain }
}

const coding = { k: 3, n: 10 }
const ten = Array.from({ length: 10 }, (_, i) => site(`s${i}`))

/** The largest matching there is, by trying everything. */
function bestMatching(sites: readonly Site[], held: Map<string, number[]>): number {
  const [first, ...rest] = sites
  if (first === undefined) return 0
  let best = bestMatching(rest, held)
  for (const share of held.get(first.id) ?? []) {
    const left = new Map(
      [...held].map(([id, shares]) => [id, shares.filter((other) => other !== share)]),
    )
    best = Math.max(best, 1 + bestMatching(rest, left))
  }
  return best
}

describe('placement', () => {
  it('gives each share a server of its own', () => {
    const placed = matchShares({ k: 3, n: 10 }, ten, new Map())
    assert.equal(placed.size, 10)
    assert.equal(new Set([...placed.values()].map(({ id }) => id)).size, 10)
  })

  it('never puts two shares on one server, however few there are', () => {
    assert.equal(matchShares({ k: 3, n: 10 }, ten.slice(0, 4), new Map()).size, 4)
  })

  it('keeps a share where it is', () => {
    const placed = matchShares({ k: 3, n: 10 }, ten, new Map([['s7', [0]]]))
    assert.equal(placed.get(0)?.id, 's7')
    assert.equal(placed.size, 10)
  })

  it('finds the largest matching of what is held, as trying everything does', () => {
    const holdings = fc.array(fc.uniqueArray(fc.nat(4), { maxLength: 4 }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(holdings, (lists) => {
        const sites = lists.map((_, i) => site(`s${i}`))
        const held = new Map(lists.map((shares, i) => [`s${i}`, shares]))
        const kept = [...matchShares({ k: 1, n: 5 }, sites, held)].filter(([share, { id }]) =>
          held.get(id)?.includes(share),
        )
        assert.equal(kept.length, bestMatching(sites, held))
      }),
    )
  })

  it('puts at most three shares of 3-of-10 into one failure domain', () => {
    assert.equal(domainLimit(coding), 3)
    const sites = Array.from({ length: 13 }, (_, i) => site(`s${i}`, i < 6 ? 'one' : `d${i}`))
    const placed = [...matchShares(coding, sites, new Map()).values()]
    assert.equal(placed.filter(({ domain }) => domain === 'one').length, 3)
    assert.equal(placed.length, 10)
    assert.equal(crowdingOf(coding, placed), undefined)
  })

  it('places all shares even where domains must be crowded, and says which', () => {
    const sites = Array.from({ length: 12 }, (_, i) => site(`s${i}`, i < 6 ? 'one' : `d${i}`))
    const placed = [...matchShares(coding, sites, new Map()).values()]
    assert.equal(placed.length, 10)
    assert.equal(placed.filter(({ domain }) => domain === 'one').length, 4)
    assert.deepEqual(crowdingOf(coding, placed), { label: 'one', shareCount: 4 })
  })

  it('crowds several domains alike rather than one wholly', () => {
    const sites = Array.from({ length: 12 }, (_, i) => site(`s${i}`, i < 9 ? 'big' : 'small'))
    const placed = [...matchShares(coding, sites, new Map()).values()]
    assert.equal(placed.filter(({ domain }) => domain === 'big').length, 7)
    const even = Array.from({ length: 12 }, (_, i) => site(`s${i}`, i < 6 ? 'a' : 'b'))
    const halves = [...matchShares(coding, even, new Map()).values()]
    assert.equal(halves.filter(({ domain }) => domain === 'a').length, 5)
  })

  it('takes any label that two servers share for a domain of both', () => {
    const sites = Array.from({ length: 13 }, (_, i) =>
      site(`s${i}`, `operator=o${i},provider=${i < 8 ? 'x' : `p${i}`},site=${i % 7}`),
    )
    const placed = [...matchShares(coding, sites, new Map()).values()]
    assert.equal(placed.length, 10)
    const inX = placed.filter(({ domain }) => domain?.includes('provider=x'))
    assert.equal(inX.length, 5, 'only five others are there')
    assert.deepEqual(crowdingOf(coding, placed), { label: 'provider=x', shareCount: 5 })
  })

  it('never loses a share to domains, and never crowds one needlessly', () => {
    const labels = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', undefined), {
      minLength: 10,
      maxLength: 30,
    })
    fc.assert(
      fc.property(labels, (domains) => {
        const sites = domains.map((domain, i) => site(`s${i}`, domain))
        const placed = [...matchShares(coding, sites, new Map()).values()]
        assert.equal(placed.length, 10)
        const counts = new Map<string, number>()
        for (const { domain } of sites)
          if (domain !== undefined) counts.set(domain, (counts.get(domain) ?? 0) + 1)
        const alone = sites.length - [...counts.values()].reduce((sum, count) => sum + count, 0)
        const room = (limit: number): number =>
          [...counts.values()].reduce((sum, count) => sum + Math.min(count, limit), alone)
        let least = 3
        while (room(least) < 10) least++
        const worst = Math.max(0, ...domainLoads(placed).map(({ shareCount }) => shareCount))
        assert.ok(worst <= least, `${worst} in one domain where ${least} would do`)
      }),
    )
  })

  it('counts the shares that a domain holds already', () => {
    const taken = [site('a', 'one'), site('b', 'one')]
    const sites = [site('c', 'one'), site('d', 'one'), site('e')]
    assert.deepEqual(
      spread(sites, taken, { limit: 3 }).map(({ id }) => id),
      ['c', 'e', 'd'],
    )
    assert.deepEqual(
      spread(sites, taken, { limit: 3, wanted: 2 }).map(({ id }) => id),
      ['c', 'e'],
    )
  })

  it('puts who claims the labels of all others behind them, whatever they claim', () => {
    const others = Array.from({ length: 10 }, (_, i) => site(`s${i}`, `net=${i},o${i}`))
    const labels = others.map((_, i) => `o${i}`)
    const claims = fc.oneof(fc.constant(labels), fc.subarray(labels))
    fc.assert(
      fc.property(fc.array(claims, { minLength: 30, maxLength: 40 }), fc.nat(255), (all, salt) => {
        const theirs = all.map((labels, i) => site(`t${i}`, ['net=x', ...labels].join(',')))
        const index = new Uint8Array(20).fill(salt)
        const placed = matchShares(coding, permuted(index, [...theirs, ...others]), new Map())
        const got = [...placed.values()].filter(({ id }) => id.startsWith('t')).length
        // three of them may fill every domain; then one that claims little is as good as any
        assert.ok(got <= domainLimit(coding) + 1, `${got} shares of one object`)
      }),
    )
  })

  it('orders servers by the object, and the same whatever order they came in', () => {
    const index = new Uint8Array(20).fill(7)
    const order = permuted(index, ten).map(({ id }) => id)
    assert.deepEqual(
      permuted(index, [...ten].reverse()).map(({ id }) => id),
      order,
    )
    assert.notDeepEqual(
      permuted(new Uint8Array(20).fill(8), ten).map(({ id }) => id),
      order,
    )
  })

  it('lowers the redundancy with the grid, and never lets happy fall below k', () => {
    assert.equal(defaultRedundancy(0), undefined)
    for (let servers = 1; servers < 20; servers++) {
      const { k, happy, n } = defaultRedundancy(servers)!
      assert.ok(1 <= k && k <= happy && happy <= n && n <= servers)
    }
    assert.deepEqual(defaultRedundancy(5), { k: 2, happy: 3, n: 4 })
    assert.deepEqual(defaultRedundancy(10), { k: 3, happy: 7, n: 10 })
  })
})
