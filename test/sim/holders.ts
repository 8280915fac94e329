/** How many servers hold an object, by what each of them has acknowledged. */
import type { StorageIndex } from '../../src/storage/peer.ts'
import type { Lie } from './lies.ts'
import type { SimServer } from './sim-server.ts'

/** Lies that no client can see through when it puts: they say that a share is stored. */
const cannotBeSeen: ReadonlySet<string> = new Set<Lie>(['acknowledgesOnly', 'repeatsOneShare'])

/**
 * The most servers that may be counted for an object, each with a share of its own: those that
 * acknowledged it by `byMs`, those whose lie nobody can see, and, if that is too few for `claimed`,
 * those that stored it and died before they could say so.
 */
export function holdersOf(
  servers: readonly SimServer[],
  index: StorageIndex,
  { claimed, n, byMs }: { claimed: number; n: number; byMs: number },
): number {
  const unseen = servers.filter(({ lie }) => lie !== undefined && cannotBeSeen.has(lie)).length
  const acknowledged = servers.map(({ ledger }) => ledger.numbers(index, byMs, false))
  const holders = distinctHolders(acknowledged)
  if (holders + unseen >= claimed) return holders + unseen
  const found = servers.map(({ ledger }, i) => [...acknowledged[i], ...ledger.found(index, n)])
  return distinctHolders(found) + unseen
}

/** The most shares that distinct servers hold of which no two are the same: a matching. */
export function distinctHolders(held: readonly (readonly number[])[]): number {
  const owner = new Map<number, number>()
  const assign = (server: number, seen: Set<number>): boolean =>
    held[server].some((number) => {
      if (seen.has(number)) return false
      seen.add(number)
      const rival = owner.get(number)
      if (rival !== undefined && !assign(rival, seen)) return false
      owner.set(number, server)
      return true
    })
  return held.filter((_, server) => assign(server, new Set())).length
}
