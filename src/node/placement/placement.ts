/**
 * Which share goes to which server (docs/specs/placement.md). Pure: no clock, no network.
 */
import { compareBytes, utf8 } from '../../base/bytes.ts'
import { taggedHash } from '../../base/hash.ts'
import { tags } from '../../caps/keys.ts'
import type { Coding } from '../../encoding/descriptor.ts'
import { labelsOf } from './failure-domain.ts'

/** A coding, and how many distinct servers must hold a share before a put succeeds. */
export interface Redundancy extends Coding {
  /** k ≤ happy ≤ n. */
  happy: number
}

/** A server, as far as placement is concerned. */
export interface Site {
  id: string
  /** Labels of what fails together with it (failure-domain.ts). Unlabelled servers are alone. */
  domain: string | undefined
  /** False for one that keeps what it has, and is given nothing. */
  accepts?: boolean
}

/** Share numbers by peer id, of servers that are known to answer. */
export interface Holdings {
  /** All of them seen to be sound. */
  held: ReadonlyMap<string, readonly number[]>
  damaged: ReadonlyMap<string, readonly number[]>
}

/** The server of each share by its number, and which of them have it already. */
export interface Matched<T extends Site> {
  held: Holdings['held']
  placed: Map<number, T>
}

/** Defaults by the number of servers that accept shares: at least `servers` of them. */
const defaults: readonly (Redundancy & { servers: number })[] = [
  { servers: 10, k: 3, happy: 7, n: 10 },
  { servers: 6, k: 3, happy: 5, n: 6 },
  { servers: 4, k: 2, happy: 3, n: 4 },
  { servers: 3, k: 2, happy: 3, n: 3 },
  { servers: 2, k: 1, happy: 2, n: 2 },
  { servers: 1, k: 1, happy: 1, n: 1 },
]

/** The default redundancy for a grid of `servers` that accept shares; undefined for none. */
export function defaultRedundancy(servers: number): Redundancy | undefined {
  const fitting = defaults.find((row) => servers >= row.servers)
  return fitting && { k: fitting.k, happy: fitting.happy, n: fitting.n }
}

/** Shares that one failure domain may hold, so that two whole domains can fail: ⌊(n-k)/2⌋, at least 1. */
export function domainLimit({ k, n }: Coding): number {
  return Math.max(1, Math.floor((n - k) / 2))
}

/** `sites` in the order in which they are asked to hold shares of an object: by `TH("placement", SI ‖ id)`. */
export function permuted<T extends { id: string }>(
  storageIndex: Uint8Array,
  sites: readonly T[],
): T[] {
  return sites
    .map((site) => ({ site, key: taggedHash(tags.placement, storageIndex, utf8(site.id)) }))
    .sort((a, b) => compareBytes(a.key, b.key))
    .map(({ site }) => site)
}

/**
 * Picks for as many shares as possible a server each, all distinct, keeping what servers hold
 * already wherever that costs no other share its server (a maximum matching, as in Tahoe-LAFS's
 * servers of happiness).
 *
 * @param sites - servers that may hold a share, in order of preference
 * @param held - share numbers that a server is proven to hold, by id
 * @param damaged - share numbers that a server holds damaged, by id: sound ones go there in their place
 * @returns the server of each placed share, by share number
 */
export function matchShares<T extends Site>(
  coding: Coding,
  sites: readonly T[],
  held: ReadonlyMap<string, readonly number[]>,
  damaged: ReadonlyMap<string, readonly number[]> = new Map<string, number[]>(),
): Map<number, T> {
  const placed = matchHeld(sites, held)
  const used = new Set([...placed.values()].map(({ id }) => id))
  const takers = sites.filter(({ id, accepts }) => accepts !== false && !used.has(id))
  for (const site of takers) {
    const shareNumber = damaged.get(site.id)?.find((number) => !placed.has(number))
    if (shareNumber === undefined) continue
    placed.set(shareNumber, site)
    used.add(site.id)
  }
  const free = spread(
    takers.filter(({ id }) => !used.has(id)),
    [...placed.values()],
    { limit: domainLimit(coding), wanted: coding.n },
  )
  for (let shareNumber = 0; shareNumber < coding.n; shareNumber++) {
    if (placed.has(shareNumber)) continue
    const site = free.shift()
    if (site === undefined) break
    placed.set(shareNumber, site)
  }
  return placed
}

export interface SpreadOptions {
  /** Shares that one failure domain is given before others have as many, ≥ 1. */
  limit: number
  /** How many servers are wanted; all if absent. */
  wanted?: number
}

/**
 * `candidates` in the order in which they are given a share each, beside those of `taken` that have
 * one: first those that crowd no failure domain, in their order, then those that crowd one by a single
 * share, and so on. Of those the ones with the fewest full domains come first, so that who claims the
 * labels of others stands behind them. Durability comes first: a crowded domain is better than a share
 * on no server.
 */
export function spread<T extends Site>(
  candidates: readonly T[],
  taken: readonly Site[],
  { limit, wanted = candidates.length }: SpreadOptions,
): T[] {
  const load = new Map<string, number>()
  const loadOf = (label: string): number => load.get(label) ?? 0
  const add = (labels: readonly string[]): void => {
    for (const label of labels) load.set(label, loadOf(label) + 1)
  }
  for (const { domain } of taken) add(labelsOf(domain))
  const order = new Set<T>()
  const all = candidates.map((site) => ({ site, labels: labelsOf(site.domain) }))
  for (let most = limit; order.size < Math.min(wanted, all.length); most++) {
    const waiting = all
      .filter(({ site }) => !order.has(site))
      .map((each) => ({ ...each, full: each.labels.filter((l) => loadOf(l) >= limit).length }))
      .sort((a, b) => a.full - b.full)
    for (const { site, labels } of waiting) {
      if (labels.some((label) => loadOf(label) >= most)) continue
      add(labels)
      order.add(site)
    }
  }
  return [...order].slice(0, wanted)
}

/** A failure domain that holds more shares of an object than it should. */
export interface Crowding {
  label: string
  shareCount: number
}

/** The most crowded domain among the servers that hold a share each; undefined where none is. */
export function crowdingOf(coding: Coding, holders: readonly Site[]): Crowding | undefined {
  const [worst] = domainLoads(holders)
  return worst !== undefined && worst.shareCount > domainLimit(coding) ? worst : undefined
}

/** How many of `sites` are in each domain, the fullest first. */
export function domainLoads(sites: readonly Site[]): Crowding[] {
  const load = new Map<string, number>()
  for (const { domain } of sites) {
    for (const label of labelsOf(domain)) load.set(label, (load.get(label) ?? 0) + 1)
  }
  return [...load]
    .map(([label, shareCount]) => ({ label, shareCount }))
    .sort((a, b) => b.shareCount - a.shareCount || (a.label < b.label ? -1 : 1))
}

/** A maximum matching of held shares to distinct servers, by augmenting paths. */
export function matchHeld<T extends Site>(
  sites: readonly T[],
  held: ReadonlyMap<string, readonly number[]>,
): Map<number, T> {
  const owner = new Map<number, T>()
  const assign = (site: T, visited: Set<number>): boolean => {
    for (const shareNumber of held.get(site.id) ?? []) {
      if (visited.has(shareNumber)) continue
      visited.add(shareNumber)
      const rival = owner.get(shareNumber)
      if (rival === undefined || assign(rival, visited)) {
        owner.set(shareNumber, site)
        return true
      }
    }
    return false
  }
  for (const site of sites) assign(site, new Set())
  return owner
}
