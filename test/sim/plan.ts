/**
 * Everything that a run does and suffers, as data: a seed makes one, a file may hold one, and any
 * item may be left out. What the plan does not name (delays, orders, what a power cut keeps) the
 * run draws from the plan's seed.
 */
import { drawFault, interrupts, isLasting, type Fault } from './fault.ts'
import { SimRandom } from './sim-random.ts'

export interface Plan {
  seed: string
  options: PlanOptions
  items: readonly PlanItem[]
}

export interface PlanOptions {
  servers: number
  /** The first so many are spoken to over the network, the others in the same process. */
  wiredServers: number
  clients: number
  k: number
  happy: number
  n: number
  diskBytes: number
  /** When the faults end. */
  durationMs: number
}

export interface Operation {
  kind: 'put' | 'get'
  atMs: number
  client: number
  /** Which file, from 0; one file has one content. */
  file: number
  fileBytes: number
}

export interface FaultEvent {
  kind: 'fault'
  atMs: number
  forMs: number
  server: number
  fault: Fault
}

/** A client's process dies, and another starts in its place. */
export interface ClientCrash {
  kind: 'client-crash'
  atMs: number
  forMs: number
  client: number
}

export type PlanItem = Operation | FaultEvent | ClientCrash

/** How long a server may be the worse for a fault after it has ended: connections linger, clients avoid it. */
export const recoveryMs = 90_000

/** From when to when a server is not to be counted on. */
export function troubleOf(event: FaultEvent): { fromMs: number; toMs: number } {
  const toMs = isLasting(event.fault) ? Infinity : event.atMs + event.forMs + recoveryMs
  return { fromMs: event.atMs, toMs }
}

export function makePlan(seed: string): Plan {
  const random = new SimRandom(seed).fork('plan')
  const options = makeOptions(random)
  const faults = makeFaults(random, options)
  const operations = makeOperations(random, options, faults)
  const crashes = makeCrashes(random, operations)
  const items = [...faults, ...operations, ...crashes].sort((a, b) => a.atMs - b.atMs)
  return { seed, options, items }
}

function makeOptions(random: SimRandom): PlanOptions {
  const [k, happy, n] = random.pick([
    [3, 7, 10],
    [3, 7, 10],
    [3, 7, 10],
    [4, 7, 10],
    [3, 5, 6],
    [2, 3, 4],
    [1, 2, 3],
    [2, 4, 10],
  ] as const)
  const servers = random.pick([n, n, n + 2])
  return {
    servers,
    wiredServers: random.between(0, servers),
    clients: random.between(1, 2),
    k,
    happy,
    n,
    diskBytes: random.chance(0.15) ? random.between(6, 30) * 4096 : 2 ** 28,
    durationMs: 900_000,
  }
}

/** Before this time all servers start. */
const startMs = 10_000

/**
 * Draws faults. Most plans keep to what the grid must survive, at most n - happy servers in
 * trouble at any one time; the others go beyond, and only truth is asked of the grid then.
 */
function makeFaults(random: SimRandom, options: PlanOptions): FaultEvent[] {
  const { servers, n, happy, durationMs } = options
  const budget = random.chance(0.75) ? n - happy : servers
  const events: FaultEvent[] = []
  for (let tries = random.between(0, 40); tries > 0; tries--) {
    const event: FaultEvent = {
      kind: 'fault',
      atMs: random.between(startMs, durationMs),
      forMs: Math.ceil(random.exponential(random.pick([50, 2000, 60_000]))),
      server: random.below(servers),
      fault: drawFault(random),
    }
    if (!interrupts(event.fault)) event.forMs += 1000
    // At times several servers at once, as when a site loses power.
    const sites = random.chance(0.1) ? random.between(2, servers) : 1
    for (let i = 0; i < sites; i++) {
      const also = { ...event, server: (event.server + i) % servers }
      if (mostInTrouble([...events, also]) <= budget) events.push(also)
    }
  }
  return events
}

/** The most servers that are in trouble at one time: it is reached when some trouble begins. */
export function mostInTrouble(events: readonly FaultEvent[]): number {
  const spans = events.map((event) => ({ server: event.server, ...troubleOf(event) }))
  const counts = spans.map(({ fromMs: atMs }) => {
    const open = spans.filter(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)
    return new Set(open.map(({ server }) => server)).size
  })
  return Math.max(0, ...counts)
}

/** Draws puts and gets, many of them just before or after a fault strikes; most gets of what was put before. */
function makeOperations(
  random: SimRandom,
  options: PlanOptions,
  faults: readonly FaultEvent[],
): Operation[] {
  const files = Array.from({ length: random.between(1, 8) }, (_, file) => ({
    file,
    fileBytes: drawFileBytes(random),
    putMs: drawMoment(random, options, faults),
  }))
  const puts = files.map(({ file, fileBytes, putMs: atMs }): Operation => {
    return { kind: 'put', atMs, client: random.below(options.clients), file, fileBytes }
  })
  const later = Array.from({ length: random.between(4, 16) }, (): Operation => {
    const { file, fileBytes, putMs } = random.pick(files)
    const kind = random.chance(0.4) ? 'put' : 'get'
    const again = putMs + Math.round(random.exponential(random.pick([5, 100, 10_000])))
    const moments = [0, 1, 2, 3].map(() => drawMoment(random, options, faults))
    const atMs = random.chance(0.3) ? again : moments.find((moment) => moment > putMs)
    return { kind, atMs: atMs ?? again, client: random.below(options.clients), file, fileBytes }
  })
  return [...puts, ...later]
}

/** Draws deaths of clients, each soon after it has begun something. */
function makeCrashes(random: SimRandom, operations: readonly Operation[]): ClientCrash[] {
  const interrupted = operations.filter(() => random.chance(0.05))
  return interrupted.map(({ atMs, client }) => ({
    kind: 'client-crash',
    atMs: atMs + Math.ceil(random.exponential(random.pick([5, 100]))),
    forMs: random.between(100, 20_000),
    client,
  }))
}

/** Any time, or close to when a fault begins: before what interrupts, after what lies in wait. */
function drawMoment(
  random: SimRandom,
  { durationMs }: PlanOptions,
  faults: readonly FaultEvent[],
): number {
  if (faults.length === 0 || random.chance(0.2)) return random.between(startMs, durationMs)
  const { atMs, fault } = random.pick(faults)
  const distanceMs = Math.round(random.exponential(random.pick([3, 10, 30, 300])))
  return interrupts(fault) ? Math.max(startMs, atMs - distanceMs) : atMs + distanceMs
}

/** Mostly small; at times about a segment's length, a few segments, or more than one extent. */
function drawFileBytes(random: SimRandom): number {
  const segmentBytes = 131_072
  const at = random.unit()
  if (at < 0.1) return random.between(1, 100)
  if (at < 0.3) return random.between(900, 1100)
  if (at < 0.9) return random.between(65, 20_000)
  if (at < 0.96) return segmentBytes + random.between(-33, 1)
  if (at < 0.995) return random.between(65, 3 * segmentBytes)
  return random.between(1_000_000, 1_500_000)
}
