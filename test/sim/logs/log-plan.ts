/** Everything that a run of a log does and suffers, as data, and how a seed draws it. */
import { maxLiars, quorumOf } from '../../../src/log/log-config.ts'
import { drawFault, type Fault, interrupts } from '../fault.ts'
import { troubleOf, type FaultEvent } from '../plan.ts'
import { SimRandom } from '../sim-random.ts'
import { attackWays, type AttackWay } from './log-attack.ts'
import { logLies } from './log-lies.ts'

export interface LogPlan {
  kind: 'log'
  seed: string
  options: LogPlanOptions
  items: readonly LogPlanItem[]
}

export interface LogPlanOptions {
  servers: number
  /** The first so many keep the log at first. */
  members: number
  /** The first so many are spoken to over the network, the others in the same process. */
  wiredServers: number
  devices: number
  readers: number
  diskBytes: number
  /** When the faults end. */
  durationMs: number
}

/** Machines by number: the admin's is 0, then those of devices, of readers, and last the clones'. */
export type LogOperation =
  | { kind: 'append'; atMs: number; machine: number; reopen: boolean; bodyBytes: number }
  | { kind: 'read'; atMs: number; machine: number; fresh: boolean }
  | { kind: 'grant'; atMs: number; machine: number; device: number; entriesPerDay: number }
  | { kind: 'revoke'; atMs: number; machine: number; device: number; back: number }
  | { kind: 'checkpoint'; atMs: number; machine: number }
  | { kind: 'move'; atMs: number; machine: number; servers: number[] }
  | { kind: 'attack'; atMs: number; machine: number; way: AttackWay; device: number }

/** What befalls a machine. */
export type MachineEvent =
  | { kind: 'crash'; atMs: number; forMs: number; machine: number; power: boolean }
  /** It comes back with an empty disk, but for its key. */
  | { kind: 'lose'; atMs: number; forMs: number; machine: number }
  /** It comes back with the disk that it had when this began. */
  | { kind: 'restore'; atMs: number; forMs: number; machine: number }
  /** Another machine starts with a copy of its disk. */
  | { kind: 'clone'; atMs: number; machine: number; as: number }
  /** It reaches none of these servers, and they do not reach it. */
  | { kind: 'split'; atMs: number; forMs: number; machine: number; servers: number[] }

export type LogPlanItem = LogOperation | MachineEvent | FaultEvent

export const machineEvents: ReadonlySet<string> = new Set([
  'crash',
  'lose',
  'restore',
  'clone',
  'split',
])

/** Before this time all servers start, and the log is begun. */
export const startMs = 30_000
const maxClones = 2

export function cloneNumber({ devices, readers }: LogPlanOptions, i: number): number {
  return 1 + devices + readers + i
}

export function machineCount(options: LogPlanOptions): number {
  return cloneNumber(options, maxClones)
}

export function makeLogPlan(seed: string): LogPlan {
  const random = new SimRandom(seed).fork('log plan')
  const members = random.pick([1, 2, 3, 4, 4, 4, 4, 4, 5, 7])
  const servers = members + random.pick([0, 0, 0, 1, 2, members])
  const options = {
    servers,
    members,
    wiredServers: random.pick([0, random.between(0, servers), servers]),
    devices: random.between(1, 3),
    readers: random.between(1, 2),
    diskBytes: random.chance(0.05) ? random.between(30, 60) * 4096 : 2 ** 28,
    durationMs: 600_000,
  }
  const torn = options.devices > 0 && members >= 4 && random.chance(0.1)
  if (torn) options.wiredServers = servers
  const moves = torn
    ? []
    : random.chance(servers > members ? 0.7 : 0.1)
      ? drawMoves(random, options)
      : []
  const faults = drawFaults(random, options, [
    Array.from({ length: members }, (_, i) => i),
    ...moves.map(({ servers: to }) => to),
  ])
  const events = drawMachineEvents(random, options)
  const moments = [...faults, ...events]
  const operations = drawOperations(random, options, moments)
  const crashes = drawCrashes(random, operations)
  const scene = torn ? drawTornAppend(random, options) : []
  const items = [...moves, ...moments, ...operations, ...crashes, ...scene].sort(
    (a, b) => a.atMs - b.atMs,
  )
  return { kind: 'log', seed, options, items }
}

type Move = Extract<LogOperation, { kind: 'move' }>

function drawMoves(random: SimRandom, { servers, members, durationMs }: LogPlanOptions): Move[] {
  return Array.from({ length: random.pick([1, 1, 2]) }, () => ({
    kind: 'move',
    atMs: random.between(startMs, durationMs),
    machine: 0,
    servers: random
      .shuffled(Array.from({ length: servers }, (_, i) => i))
      .slice(0, random.chance(0.7) ? members : random.between(1, servers))
      .sort((a, b) => a - b),
  }))
}

/**
 * Draws faults of servers. Most plans keep to what a log must survive: in every config at most f
 * servers that lie or forget, and a quorum that is well; the others go beyond in one or both.
 */
function drawFaults(
  random: SimRandom,
  options: LogPlanOptions,
  configs: readonly (readonly number[])[],
): FaultEvent[] {
  const isTame = random.chance(0.8)
  const isUp = random.chance(0.6)
  const events: FaultEvent[] = []
  if (!isTame && random.chance(0.4)) {
    // all of them in league, as when one operator runs the lot
    const fault = random.pick(conspiracies)
    const atMs = random.between(startMs, options.durationMs)
    const forMs = random.between(1000, 100_000)
    for (let server = 0; server < options.servers; server++) {
      events.push({ kind: 'fault', atMs, forMs, server, fault })
    }
  }
  for (let tries = random.between(0, 14); tries > 0; tries--) {
    const event: FaultEvent = {
      kind: 'fault',
      atMs: random.between(startMs, options.durationMs),
      forMs: Math.ceil(random.exponential(random.pick([50, 2000, 60_000]))),
      server: random.below(options.servers),
      fault: drawServerFault(random),
    }
    if (!interrupts(event.fault)) event.forMs += 1000
    // At times several servers at once, as when a site loses power.
    const sites = random.chance(0.1) ? random.between(2, options.servers) : 1
    for (let i = 0; i < sites; i++) {
      const also = { ...event, server: (event.server + i) % options.servers }
      const all = [...events, also]
      if (isTame && !configs.every((config) => isWithin(all, config))) continue
      if (isUp && !configs.every((config) => hasQuorum(all, config))) continue
      events.push(also)
    }
  }
  return events
}

const conspiracies: readonly Fault[] = [
  { kind: 'rollback' },
  { kind: 'lie', lie: 'hidesMuch' },
  { kind: 'lie', lie: 'standsStill' },
  { kind: 'lie', lie: 'omitsChain' },
  { kind: 'lie', lie: 'forgesReceipts' },
]

/** As for files, but liars of other kinds, and disks that go back in time. */
function drawServerFault(random: SimRandom): Fault {
  const at = random.unit()
  if (at < 0.3) return { kind: 'lie', lie: random.pick(logLies) }
  if (at < 0.36) return { kind: 'rollback' }
  for (;;) {
    const fault = drawFault(random)
    if (fault.kind !== 'lie') return fault
  }
}

/** Servers that lie, or whose disk does, at some time: 0 … f of each config may. */
export function lastingTrouble(events: readonly FaultEvent[]): Set<number> {
  const lasting = events.filter((event) => troubleOf(event).toMs === Infinity)
  return new Set(lasting.map(({ server }) => server))
}

export function isWithin(events: readonly FaultEvent[], config: readonly number[]): boolean {
  const trouble = lastingTrouble(events)
  return config.filter((server) => trouble.has(server)).length <= maxLiars(config.length)
}

/** Whether a quorum of `config` is well at any time. */
function hasQuorum(events: readonly FaultEvent[], config: readonly number[]): boolean {
  const spans = events.map((event) => ({ server: event.server, ...troubleOf(event) }))
  return spans.every(({ fromMs: atMs }) => {
    const open = spans.filter(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)
    const unwell = new Set(open.map(({ server }) => server))
    const well = config.filter((server) => !unwell.has(server)).length
    return well >= Math.min(quorumOf(config.length), config.length)
  })
}

function drawMachineEvents(random: SimRandom, options: LogPlanOptions): MachineEvent[] {
  const { devices, readers, servers, durationMs } = options
  const events: MachineEvent[] = []
  let clones = 0
  for (let tries = random.pick([0, 0, 1, 2, 3]); tries > 0; tries--) {
    const atMs = random.between(startMs, durationMs)
    const forMs = Math.ceil(random.exponential(random.pick([3000, 60_000])))
    const machine = random.between(0, devices + readers)
    const device = random.between(1, devices)
    const at = random.unit()
    if (at < 0.5) {
      events.push({ kind: 'crash', atMs, forMs, machine, power: random.chance(0.5) })
    } else if (at < 0.6) {
      events.push({ kind: 'lose', atMs, forMs, machine: device })
    } else if (at < 0.7) {
      events.push({ kind: 'restore', atMs, forMs, machine: device })
    } else if (at < 0.82 && clones < maxClones) {
      events.push({ kind: 'clone', atMs, machine: device, as: cloneNumber(options, clones++) })
    } else {
      const away = random.shuffled(Array.from({ length: servers }, (_, i) => i))
      const apart = away.slice(0, random.between(1, servers))
      events.push({ kind: 'split', atMs, forMs: forMs + 20_000, machine, servers: apart })
    }
  }
  return events
}

function drawOperations(
  random: SimRandom,
  options: LogPlanOptions,
  moments: readonly { atMs: number; kind: string; machine?: number; as?: number }[],
): LogOperation[] {
  const { devices, readers } = options
  const clones = moments.flatMap(({ as, machine }) => (as === undefined ? [] : [as, machine!]))
  const readingMachines = [...Array(1 + devices + readers).keys(), ...clones]
  const draws: [number, (atMs: number) => LogOperation][] = [
    [
      10,
      (atMs) => {
        const device = random.between(1, devices)
        const machine = clones.length > 0 && random.chance(0.6) ? random.pick(clones) : device
        const bodyBytes = random.pick([0, 100, 100, 5000])
        return { kind: 'append', atMs, machine, reopen: random.chance(0.3), bodyBytes }
      },
    ],
    [
      7,
      (atMs) => {
        const machine = random.pick(readingMachines)
        return { kind: 'read', atMs, machine, fresh: random.chance(0.4) }
      },
    ],
    [
      1,
      (atMs) => {
        const entriesPerDay = random.pick([2, 5, 1000])
        const device = random.between(1, devices)
        return { kind: 'grant', atMs, machine: 0, device, entriesPerDay }
      },
    ],
    [
      0.6,
      (atMs) => {
        const device = random.between(1, devices)
        return { kind: 'revoke', atMs, machine: 0, device, back: random.pick([0, 0, 1, 2]) }
      },
    ],
    [1, (atMs) => ({ kind: 'checkpoint', atMs, machine: 0 })],
    [
      1,
      (atMs) => {
        const device = random.between(1, devices)
        return { kind: 'attack', atMs, machine: device, way: random.pick(attackWays), device }
      },
    ],
  ]
  const total = draws.reduce((sum, [weight]) => sum + weight, 0)
  return Array.from({ length: random.between(3, 12) }, () => {
    let at = random.unit() * total
    const [, draw] = draws.find(([weight]) => (at -= weight) < 0) ?? draws[0]
    return draw(drawMoment(random, options, moments))
  })
}

/** Draws deaths of machines soon after they have begun something. */
function drawCrashes(random: SimRandom, operations: readonly LogOperation[]): MachineEvent[] {
  const interrupted = operations.filter(() => random.chance(0.08))
  return interrupted.map(({ atMs, machine }) => ({
    kind: 'crash',
    atMs: atMs + Math.ceil(random.exponential(random.pick([20, 100, 500]))),
    forMs: random.between(100, 20_000),
    machine,
    power: random.chance(0.5),
  }))
}

/**
 * A device writes where it reaches one server only, dies, and comes back where it reaches all but
 * that one: what it has signed before it must offer again, and nothing else.
 */
function drawTornAppend(random: SimRandom, { devices, servers }: LogPlanOptions): LogPlanItem[] {
  const machine = random.between(1, devices)
  const one = random.below(servers)
  const others = Array.from({ length: servers }, (_, i) => i).filter((i) => i !== one)
  const atMs = random.between(100_000, 300_000)
  const append = { kind: 'append', machine, reopen: true, bodyBytes: 100 } as const
  const power = random.chance(0.5)
  return [
    { ...append, atMs },
    { kind: 'split', atMs: atMs + 1000, forMs: 30_000, machine, servers: others },
    { ...append, reopen: false, atMs: atMs + 1100 },
    { kind: 'crash', atMs: atMs + random.between(1150, 20_000), forMs: 12_000, machine, power },
    { kind: 'split', atMs: atMs + 31_000, forMs: 200_000, machine, servers: [one] },
    { ...append, atMs: atMs + 200_000 },
  ]
}

/** Any time, or close to when something begins. */
function drawMoment(
  random: SimRandom,
  { durationMs }: LogPlanOptions,
  moments: readonly { atMs: number }[],
): number {
  if (moments.length === 0 || random.chance(0.3)) return random.between(startMs, durationMs)
  const distanceMs = Math.round(random.exponential(random.pick([3, 30, 300, 20_000])))
  const { atMs } = random.pick(moments)
  return random.chance(0.3) ? Math.max(startMs, atMs - distanceMs) : atMs + distanceMs
}
