/** What an object that is on n of today's servers survives (docs/specs/placement.md, "What may vanish"). Pure. */
import { labelsOf } from './failure-domain.ts'
import { domainLimit, domainLoads, type Redundancy, type Site } from './placement.ts'

export interface Tolerance {
  /** Any so many servers may vanish. */
  servers: number
  /** Any so many whole domains may; undefined where no server has a label. */
  domains: number | undefined
  /** The domain that takes the most with it, and the shares of one object that it may hold. */
  worst: { label: string; shareCount: number } | undefined
}

/** At worst, over all objects that are placed on `sites` now; undefined where they are fewer than k. */
export function toleranceOf(redundancy: Redundancy, sites: readonly Site[]): Tolerance | undefined {
  const { k } = redundancy
  const placed = Math.min(redundancy.n, sites.length)
  if (placed < k) return undefined
  const spare = placed - k
  const largest = largestDomains(sites)
  const limit = leastLimit(redundancy, largest, sites.length, placed)
  const loads = largest.map(({ label, ids }) => {
    return { label, shareCount: Math.min(ids.size, limit) }
  })
  if (loads.length === 0) return { servers: spare, domains: undefined, worst: undefined }
  // servers without a label are domains of one share each
  const alone = sites.filter(({ domain }) => labelsOf(domain).length === 0).length
  const weights = [
    ...loads.map(({ shareCount }) => shareCount),
    ...new Array<number>(alone).fill(1),
  ]
  let domains = 0
  for (let left = spare; domains < weights.length && weights[domains] <= left; domains++)
    left -= weights[domains]
  return { servers: spare, domains, worst: loads[0] }
}

/**
 * More than this no domain gets, since every share finds a server without: the limit, or what is
 * needed above it. Where domains overlap that depends on the object, and the worst is taken.
 */
function leastLimit(
  redundancy: Redundancy,
  domains: readonly { ids: ReadonlySet<string> }[],
  siteCount: number,
  placed: number,
): number {
  const sizes = domains.map(({ ids }) => ids.size)
  const largest = Math.max(0, ...sizes)
  const members = new Set(domains.flatMap(({ ids }) => [...ids]))
  const isDisjoint = members.size === sizes.reduce((sum, size) => sum + size, 0)
  if (!isDisjoint) return largest
  const room = (limit: number): number =>
    sizes.reduce((sum, size) => sum + Math.min(size, limit), siteCount - members.size)
  let limit = domainLimit(redundancy)
  while (limit < largest && room(limit) < placed) limit++
  return limit
}

/** Domains that no other contains, the fullest first: of labels for the same servers one. */
function largestDomains(sites: readonly Site[]): { label: string; ids: Set<string> }[] {
  const members = new Map<string, Set<string>>()
  for (const { id, domain } of sites)
    for (const label of labelsOf(domain))
      members.set(label, (members.get(label) ?? new Set()).add(id))
  const kept: { label: string; ids: Set<string> }[] = []
  for (const { label } of domainLoads(sites)) {
    const ids = members.get(label)!
    const isWithin = kept.some((other) => [...ids].every((id) => other.ids.has(id)))
    if (!isWithin) kept.push({ label, ids })
  }
  return kept
}
