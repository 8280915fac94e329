/**
 * What a run of keeping does and suffers, as data: months in which devices back up, a pruner lets go
 * of what is old, servers sweep and scrub, and a keeper checks and repairs; with faults in between.
 */
import { drawFault, type Fault } from '../fault.ts'
import { rots } from '../sim-disk.ts'
import { SimRandom } from '../sim-random.ts'
import { poolSize } from './keep-objects.ts'

export interface KeepPlan {
  kind: 'keep'
  seed: string
  options: KeepOptions
  items: readonly KeepItem[]
}

export interface KeepOptions {
  servers: number
  devices: number
  k: number
  happy: number
  n: number
  diskBytes: number
  /** How long servers keep what nobody holds. */
  quarantineDays: number
  /** How often each server sweeps and writes down that it lives. */
  sweepMs: number
  /** By how much each server's clock is wrong from the start. */
  skewsMs: readonly number[]
  /** When the last item has begun. */
  durationMs: number
  /** Bytes that the account may hold at a server; undefined for no bound. */
  quotaBytes: number | undefined
}

/** A device brings its tree to these objects, and commits a snapshot of it. */
export interface BackupItem {
  kind: 'backup'
  atMs: number
  device: number
  /** The tree: numbers of objects, ascending. */
  objects: readonly number[]
  /** Mean time between two objects: hours for a slow line. */
  paceMs: number
  /** Mean time until a quorum of the log's servers has its entry. */
  commitMs: number
}

/** The pruner keeps the newest few snapshots of each device, and lets go of the rest. */
export interface PruneItem {
  kind: 'prune'
  atMs: number
  keepLast: number
  /** Mean time that a step takes. */
  paceMs: number
  /** Whether somebody decides who heeds no plan, and keeps those few alone. */
  hasty: boolean
  /** It dies before the step of this number; never if absent. */
  diesAt?: number
}

export type KeepItem =
  | BackupItem
  | PruneItem
  /** What servers have missed is handed to them. */
  | { kind: 'push'; atMs: number }
  /** The newest release is taken back. */
  | { kind: 'cancel'; atMs: number }
  /** A device's memory of what it has put is that of an earlier backup again. */
  | { kind: 'forget'; atMs: number; device: number }
  | { kind: 'device-crash'; atMs: number; device: number }
  /** Somebody without an account puts an object. */
  | { kind: 'lease'; atMs: number; object: number }
  /** Somebody with a verify cap renews leases. */
  | { kind: 'renew'; atMs: number }
  | { kind: 'check'; atMs: number; repair: boolean; whole: boolean }
  | { kind: 'scrub'; atMs: number; server: number }
  /** The operator lets a sweep delete however much it is. */
  | { kind: 'consent'; atMs: number; server: number }
  /** A device whose key is stolen tries to have things released. */
  | { kind: 'attack'; atMs: number; device: number; way: ReleaseAttack }
  | { kind: 'replay'; atMs: number }
  | { kind: 'fault'; atMs: number; forMs: number; server: number; fault: Fault }

export const releaseAttacks = [
  'own key',
  'stolen certificate',
  'no certificate',
  'other body',
] as const
export type ReleaseAttack = (typeof releaseAttacks)[number]

export const hourMs = 3_600_000
export const dayMs: number = 24 * hourMs

export function makeKeepPlan(seed: string): KeepPlan {
  const random = new SimRandom(seed).fork('keep plan')
  const options = drawOptions(random)
  const items = [
    ...drawBackups(random, options),
    ...drawLeases(random, options),
    ...drawCare(random, options),
  ]
  const moments = items.map(({ atMs }) => atMs)
  items.push(...drawPrunes(random, options, moments))
  items.push(
    ...drawFaults(
      random,
      options,
      items.map(({ atMs }) => atMs),
    ),
  )
  const early = items.filter(({ atMs }) => atMs <= options.durationMs)
  return { kind: 'keep', seed, options, items: early.sort((a, b) => a.atMs - b.atMs) }
}

function drawOptions(random: SimRandom): KeepOptions {
  const [k, happy, n] = random.pick([
    [1, 2, 3],
    [1, 2, 2],
    [2, 3, 4],
    [2, 3, 3],
  ] as const)
  const servers = n + random.pick([0, 0, 1])
  const skew = (): number => {
    if (random.chance(0.7)) return 0
    if (random.chance(0.7)) return random.between(-hourMs, hourMs)
    return random.pick([-1, 1]) * random.between(hourMs, 400 * dayMs)
  }
  return {
    ...{ servers, devices: random.between(1, 2), k, happy, n },
    diskBytes: random.chance(0.15) ? random.between(12, 40) * 4096 : 2 ** 26,
    quarantineDays: random.pick([14, 14, 30]),
    sweepMs: random.pick([2, 4, 8]) * dayMs,
    skewsMs: Array.from({ length: servers }, skew),
    durationMs: random.pick([60, 120, 120, 240, 500]) * dayMs,
    quotaBytes: random.chance(0.1) ? random.between(6, 12) * 4096 : undefined,
  }
}

/** Trees that lose and gain objects, and come back to what they were before. */
function drawBackups(random: SimRandom, options: KeepOptions): BackupItem[] {
  const { devices, durationMs } = options
  return Array.from({ length: devices }, (_, device) => {
    const tree = new Set(random.shuffled([...Array(poolSize).keys()]).slice(0, 3))
    const moments = Array.from({ length: random.between(2, 8) }, () => {
      return random.between(hourMs, durationMs)
    }).sort((a, b) => a - b)
    return moments.map((atMs): BackupItem => {
      for (const each of [...tree]) if (random.chance(0.4)) tree.delete(each)
      for (let added = random.between(0, 3); added > 0; added--) tree.add(random.below(poolSize))
      if (tree.size === 0) tree.add(random.below(poolSize))
      const paceMs = random.pick([1000, 1000, hourMs, 20 * hourMs, 40 * hourMs])
      const commitMs = random.pick([1000, 1000, 1000, 40 * hourMs])
      const objects = [...tree].sort((a, b) => a - b)
      return { kind: 'backup', atMs, device, objects, paceMs, commitMs }
    })
  }).flat()
}

function drawLeases(random: SimRandom, { durationMs }: KeepOptions): KeepItem[] {
  if (random.chance(0.6)) return []
  const atMs = random.between(hourMs, durationMs / 2)
  const renewals = Array.from({ length: random.between(0, 2) }, (): KeepItem => {
    return { kind: 'renew', atMs: random.between(atMs, durationMs) }
  })
  return [{ kind: 'lease', atMs, object: random.below(poolSize) }, ...renewals]
}

/** Checks, repairs, scrubs, and what befalls devices. */
function drawCare(random: SimRandom, options: KeepOptions): KeepItem[] {
  const { durationMs, servers, devices } = options
  const some = (most: number, make: (atMs: number) => KeepItem): KeepItem[] =>
    Array.from({ length: random.between(0, most) }, () => make(random.between(hourMs, durationMs)))
  const device = (): number => random.below(devices)
  const server = (): number => random.below(servers)
  return [
    ...some(3, (atMs) => ({
      kind: 'check',
      atMs,
      repair: random.chance(0.7),
      whole: random.chance(0.5),
    })),
    ...some(2, (atMs) => ({ kind: 'scrub', atMs, server: server() })),
    ...some(1, (atMs) => ({ kind: 'forget', atMs, device: device() })),
    ...some(1, (atMs) => ({ kind: 'device-crash', atMs, device: device() })),
    ...some(1, (atMs) => ({ kind: 'consent', atMs, server: server() })),
    ...some(1, (atMs) => {
      return { kind: 'attack', atMs, device: device(), way: random.pick(releaseAttacks) }
    }),
    ...some(1, (atMs) => ({ kind: 'replay', atMs })),
  ]
}

/** Prunes, most of them close to something else that goes on, and what follows from them. */
function drawPrunes(
  random: SimRandom,
  { durationMs }: KeepOptions,
  moments: readonly number[],
): KeepItem[] {
  return Array.from({ length: random.between(1, 5) }, (): KeepItem[] => {
    const distanceMs = random.exponential(random.pick([60_000, 5 * hourMs, 30 * hourMs, 3 * dayMs]))
    const near = random.pick(moments) + Math.round(random.pick([-1, 1]) * distanceMs)
    const atMs = random.chance(0.2) ? random.between(hourMs, durationMs) : Math.max(hourMs, near)
    const paceMs = random.pick([1000, 60_000, hourMs, 10 * hourMs])
    const dies = random.chance(0.2) ? { diesAt: random.below(8) } : {}
    const prune: PruneItem = {
      ...{
        kind: 'prune',
        atMs,
        keepLast: random.pick([1, 1, 2]),
        hasty: random.chance(0.6),
        paceMs,
        ...dies,
      },
    }
    const laterMs =
      atMs + Math.round(random.exponential(random.pick([hourMs, 3 * dayMs, 20 * dayMs])))
    if (random.chance(0.3)) return [prune, { kind: 'push', atMs: laterMs }]
    return random.chance(0.25) ? [prune, { kind: 'cancel', atMs: laterMs }] : [prune]
  }).flat()
}

/** What makes sense over months: faults that strike, and faults that last hours or weeks. */
function drawFaults(
  random: SimRandom,
  { servers, durationMs }: KeepOptions,
  moments: readonly number[],
): KeepItem[] {
  const kinds = ['kill', 'power', 'power', 'disk', 'full', 'read-only', 'rot', 'clock'] as const
  return Array.from({ length: random.between(0, 10) }, (): KeepItem => {
    const atMs = random.chance(0.3)
      ? random.between(hourMs, durationMs)
      : random.pick(moments) + Math.ceil(random.exponential(random.pick([20, 200, 5000, hourMs])))
    const lengthMs = random.pick([1000, hourMs, 2 * dayMs, 20 * dayMs])
    const forMs = Math.ceil(random.exponential(lengthMs))
    return { kind: 'fault', atMs, forMs, server: random.below(servers), fault: drawKind() }
  })

  function drawKind(): Fault {
    const kind = random.pick(kinds)
    if (kind === 'clock') {
      const jumpMs = random.pick([hourMs, 30 * hourMs, 20 * dayMs, 400 * dayMs])
      return { kind, jumpMs: random.pick([-1, 1]) * random.between(1, jumpMs) }
    }
    if (kind === 'rot') return { kind, rot: random.pick(rots) }
    for (;;) {
      const fault = drawFault(random)
      if (fault.kind === kind) return fault
    }
  }
}
