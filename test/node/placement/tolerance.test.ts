import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { labelsOf } from '../../../src/node/placement/failure-domain.ts'
import { matchShares, permuted, type Site } from '../../../src/node/placement/placement.ts'
import { toleranceOf } from '../../../src/node/placement/tolerance.ts'

const redundancy = { k: 3, happy: 7, n: 10 }

function sitesOf(domains: readonly (string | undefined)[]): Site[] {
  return domains.map((domain, i) => ({ id: `s${i}`, domain }))
}

describe('tolerance', () => {
  it('is of servers alone where none has a label', () => {
    const expected = { servers: 7, domains: undefined, worst: undefined }
    assert.deepEqual(toleranceOf(redundancy, sitesOf(Array.from({ length: 12 }))), expected)
  })

  it('lets any two whole domains vanish where there are enough of them', () => {
    const sites = sitesOf(Array.from({ length: 12 }, (_, i) => `site=${i % 4}`))
    const worst = { label: 'site=0', shareCount: 3 }
    assert.deepEqual(toleranceOf(redundancy, sites), { servers: 7, domains: 2, worst })
  })

  it('lets no domain vanish where all servers are in one', () => {
    const sites = sitesOf(Array.from({ length: 10 }, () => 'provider=x'))
    const worst = { label: 'provider=x', shareCount: 10 }
    assert.deepEqual(toleranceOf(redundancy, sites), { servers: 7, domains: 0, worst })
  })

  it('counts labels of the same servers once, and those within others not at all', () => {
    const sites = sitesOf(
      Array.from({ length: 12 }, (_, i) => `operator=o${i % 4},net=${i % 4},rack=${i}`),
    )
    assert.equal(toleranceOf(redundancy, sites)?.domains, 2)
  })

  it('says nothing of too few servers', () => {
    assert.equal(toleranceOf(redundancy, sitesOf([undefined, undefined])), undefined)
    assert.equal(toleranceOf(redundancy, sitesOf(['a', 'b', 'c']))?.servers, 0)
  })

  it('promises no more than what placement does, whichever domains go', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'd', undefined)
    const domain = fc.tuple(label, label).map(([operator, site]) => {
      const words = [operator && `operator=${operator}`, site && `site=${site}`]
      return words.filter((word) => word !== undefined).join(',')
    })
    fc.assert(
      fc.property(
        fc.array(domain, { minLength: 10, maxLength: 16 }),
        fc.nat(255),
        (domains, seed) => {
          const sites = sitesOf(domains)
          const tolerance = toleranceOf(redundancy, sites)
          const ordered = permuted(new Uint8Array(20).fill(seed), sites)
          const holders = [...matchShares(redundancy, ordered, new Map()).values()]
          const groups = new Set(
            holders.flatMap(({ id, domain }) => {
              const labels = labelsOf(domain)
              return labels.length === 0 ? [id] : labels
            }),
          )
          const isHit = ({ id, domain }: Site, gone: readonly string[]): boolean =>
            gone.includes(id) || labelsOf(domain).some((each) => gone.includes(each))
          const all = [...groups]
          const count = tolerance?.domains ?? 0
          if (count > 2) return
          for (const first of all)
            for (const second of all) {
              const gone = [first, second].slice(0, count)
              const left = holders.filter((holder) => !isHit(holder, gone)).length
              assert.ok(left >= 3, `${left} shares are left without ${gone.join(' and ')}`)
            }
        },
      ),
      { numRuns: 300 },
    )
  })
})
