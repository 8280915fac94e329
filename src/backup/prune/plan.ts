/**
 * Which snapshots a prune keeps, and why (docs/specs/prune.md, "Plan"). Pure: the same log at the
 * same time gives the same plan, whoever makes it.
 *
 * Times are those at which servers received entries; what a device says of time counts for nothing.
 * Each series of each device is thinned out by itself, so that nobody's snapshots take the place of
 * another's. What cannot be dated is kept.
 */
import { bucketOf, bucketUnits, dayMs } from './calendar.ts'
import { countOf, type RetentionPolicy } from './policy.ts'

/** A snapshot that a log shows and nobody has revoked. */
export interface PlanSnapshot {
  /** Hexadecimal id of the entry. */
  id: string
  /** Hexadecimal key of its author. */
  chain: string
  /** In its chain, from 1. */
  seq: number
  /** What of a device is backed up in it: snapshots of other directories do not stand for it. */
  series: string
  /** When a quorum of servers had it; undefined where too few vouch for a time. */
  receivedMs: number | undefined
  tags: readonly string[]
  /** How far its author had seen other chains. */
  seen: readonly (readonly [chain: string, seq: number])[]
}

export interface PlanInput {
  nowMs: number
  policy: RetentionPolicy
  /** In any order. */
  snapshots: readonly PlanSnapshot[]
  /** Of all checkpoints of the admin. */
  tested: readonly { id: string; testedMs: number }[]
  /** By chain: what its certificate allows a day; without bounds where there is none. */
  entriesPerDay: Readonly<Record<string, number>>
}

/** In the order in which they are told. */
export const keepReasons = [
  'recent',
  'undated',
  'since-test',
  'newest',
  'base',
  'last',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'within',
  'tag',
] as const
export type KeepReason = (typeof keepReasons)[number]

export interface KeptSnapshot {
  id: string
  /** At least one; in a fixed order. */
  reasons: readonly KeepReason[]
}

export interface Plan {
  /** In the order of `snapshots`. */
  kept: readonly KeptSnapshot[]
  dropped: readonly string[]
  /** Why nothing may be dropped, if that is so: no snapshot has passed a restore test lately. */
  refusal: 'untested' | undefined
}

/** All received within it stay: time to notice whoever adds snapshots that are none of yours. */
export const recentMs: number = 30 * dayMs
/** A restore test is good for so long. */
export const testedWithinMs: number = 90 * dayMs

export function planPrune(input: PlanInput): Plan {
  const planning = new Planning(input)
  planning.keepAlways()
  for (const series of planning.series()) planning.keepOf(series)
  return planning.plan
}

type Dated = PlanSnapshot & { receivedMs: number }

class Planning {
  readonly #input: PlanInput
  readonly #reasons = new Map<string, Set<KeepReason>>()
  readonly #overRate: ReadonlySet<string>
  /** When the newest snapshot was received that passed a test; undefined for none. */
  readonly #testedMs: number | undefined

  constructor(input: PlanInput) {
    this.#input = input
    this.#overRate = overRateIn(input)
    this.#testedMs = newestTestedMs(input)
  }

  get plan(): Plan {
    const { snapshots } = this.#input
    const kept = snapshots.flatMap(({ id }) => {
      const reasons = this.#reasons.get(id)
      return reasons ? [{ id, reasons: keepReasons.filter((each) => reasons.has(each)) }] : []
    })
    const dropped = snapshots.map(({ id }) => id).filter((id) => !this.#reasons.has(id))
    return { kept, dropped, refusal: this.#testedMs === undefined ? 'untested' : undefined }
  }

  /** What no policy may drop. */
  keepAlways(): void {
    const { nowMs, snapshots } = this.#input
    for (const each of snapshots) {
      const { receivedMs } = each
      if (receivedMs === undefined) this.#keep(each, 'undated')
      else if (receivedMs >= nowMs - recentMs) this.#keep(each, 'recent')
      if (receivedMs !== undefined && receivedMs >= (this.#testedMs ?? Infinity))
        this.#keep(each, 'since-test')
    }
    for (const chain of groupedBy(snapshots, ({ chain }) => chain).values())
      this.#keepBases(newestOf(chain))
  }

  /** Snapshots of one series of one device each. */
  series(): Iterable<PlanSnapshot[]> {
    const { snapshots } = this.#input
    return groupedBy(snapshots, ({ chain, series }) => `${chain} ${series}`).values()
  }

  keepOf(series: readonly PlanSnapshot[]): void {
    const { nowMs, policy } = this.#input
    this.#keep(newestOf(series), 'newest')
    const dated = series.filter((each) => each.receivedMs !== undefined) as Dated[]
    dated.sort((a, b) => a.receivedMs - b.receivedMs || a.seq - b.seq)
    const within = policy.withinMs
    for (const each of dated)
      if (within !== undefined && each.receivedMs >= nowMs - within) this.#keep(each, 'within')
    const wanted = new Set(policy.tags ?? [])
    for (const each of series) if (each.tags.some((tag) => wanted.has(tag))) this.#keep(each, 'tag')
    const standing = dated.filter(({ id }) => !this.#overRate.has(id))
    const last = policy.last ?? 0
    for (const each of last > 0 ? standing.slice(-last) : []) this.#keep(each, 'last')
    for (const unit of bucketUnits) {
      const buckets = [...groupedBy(standing, (each) => bucketOf(unit, each.receivedMs)).values()]
      const count = countOf(policy, unit)
      for (const bucket of count > 0 ? buckets.slice(-count) : []) {
        // the first, since a later one may be of whoever took the machine over
        this.#keep(bucket[0], unit)
        this.#keep(bucket[bucket.length - 1], unit)
      }
    }
  }

  /** What the newest of a chain may have been made from: two devices' versions are merged by it. */
  #keepBases({ seen }: PlanSnapshot): void {
    for (const [chain, seq] of seen) {
      const before = this.#input.snapshots.filter((each) => each.chain === chain && each.seq <= seq)
      if (before.length > 0) this.#keep(newestOf(before), 'base')
    }
  }

  #keep({ id }: PlanSnapshot, reason: KeepReason): void {
    const reasons = this.#reasons.get(id) ?? new Set()
    this.#reasons.set(id, reasons.add(reason))
  }
}

/** Those that are more than their author may write in a day: servers that follow the rules take none. */
function overRateIn({ snapshots, entriesPerDay }: PlanInput): Set<string> {
  const over = new Set<string>()
  const counts = new Map<string, number>()
  for (const { id, chain, receivedMs } of [...snapshots].sort((a, b) => a.seq - b.seq)) {
    if (receivedMs === undefined) continue
    const day = `${chain} ${bucketOf('daily', receivedMs)}`
    const count = (counts.get(day) ?? 0) + 1
    counts.set(day, count)
    if (count > (entriesPerDay[chain] ?? Infinity)) over.add(id)
  }
  return over
}

function newestTestedMs({ nowMs, snapshots, tested }: PlanInput): number | undefined {
  const ids = new Set(
    tested.filter(({ testedMs }) => testedMs >= nowMs - testedWithinMs).map(({ id }) => id),
  )
  let newest: number | undefined
  for (const { id, receivedMs } of snapshots)
    if (ids.has(id) && receivedMs !== undefined) newest = Math.max(newest ?? 0, receivedMs)
  return newest
}

/** Of one chain; at least one. */
function newestOf(snapshots: readonly PlanSnapshot[]): PlanSnapshot {
  return snapshots.reduce((a, b) => (b.seq > a.seq ? b : a))
}

function groupedBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
