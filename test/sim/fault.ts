/** What may befall one server of a simulated grid: the kinds, as plain data, and how the seed draws them. */
import { babbles, type Babble } from './babbler.ts'
import { lies, type Lie } from './lies.ts'
import type { LogLie } from './logs/log-lies.ts'
import { rots, type DiskFault, type Rot } from './sim-disk.ts'
import type { SimRandom } from './sim-random.ts'

export type Fault =
  /** The process dies. */
  | { kind: 'kill' }
  /** The power goes. */
  | { kind: 'power' }
  /** The process stops for a while. */
  | { kind: 'freeze' }
  /** Nothing gets through to the server, from it, or either way. */
  | { kind: 'partition'; way: 'in' | 'out' | 'both' }
  /** Its connections break, once. */
  | { kind: 'reset' }
  /** A connection breaks, or a bit of it changes, after so many bytes to or from the server. */
  | { kind: 'ambush'; way: 'in' | 'out'; what: 'cut' | 'flip'; afterBytes: number }
  | { kind: 'slow'; extraMs: number }
  | { kind: 'drip'; way: 'in' | 'out' }
  /** No disk call ends. */
  | { kind: 'stall' }
  | ({ kind: 'disk' } & DiskFault)
  | { kind: 'read-only' }
  /** The disk is full up. */
  | { kind: 'full' }
  /** A share file at rest goes bad; this does not heal. */
  | { kind: 'rot'; rot: Rot }
  /** It breaks its connections, and what it says over the next ones is not the protocol. */
  | { kind: 'babble'; how: Babble }
  /** The wall clock is wrong by so much. */
  | { kind: 'clock'; jumpMs: number }
  /** The server's owner is no friend; this does not heal either. */
  | { kind: 'lie'; lie: Lie | LogLie }
  /** When it is over the disk is again what it was when it began; of logs only. */
  | { kind: 'rollback' }

export type FaultKind = Fault['kind']

/** How a fault of each kind is drawn, and how often against the others. */
const draws: Record<FaultKind, [weight: number, draw: (random: SimRandom) => Fault]> = {
  kill: [4, () => ({ kind: 'kill' })],
  power: [6, () => ({ kind: 'power' })],
  freeze: [3, () => ({ kind: 'freeze' })],
  partition: [4, (random) => ({ kind: 'partition', way: random.pick(['in', 'out', 'both']) })],
  reset: [3, () => ({ kind: 'reset' })],
  ambush: [
    6,
    (random) => ({
      kind: 'ambush',
      way: random.pick(['in', 'out']),
      what: random.pick(['cut', 'flip']),
      afterBytes: Math.floor(random.exponential(random.pick([50, 1000, 20_000]))),
    }),
  ],
  slow: [2, (random) => ({ kind: 'slow', extraMs: random.between(100, 20_000) })],
  drip: [2, (random) => ({ kind: 'drip', way: random.pick(['in', 'out']) })],
  stall: [3, () => ({ kind: 'stall' })],
  disk: [8, (random) => ({ kind: 'disk', ...drawDiskFault(random) })],
  'read-only': [1, () => ({ kind: 'read-only' })],
  full: [2, () => ({ kind: 'full' })],
  rot: [6, (random) => ({ kind: 'rot', rot: random.pick(rots) })],
  babble: [3, (random) => ({ kind: 'babble', how: random.pick(babbles) })],
  clock: [
    1,
    (random) => ({ kind: 'clock', jumpMs: random.pick([-1, 1]) * random.below(2 * 365 * dayMs) }),
  ],
  lie: [8, (random) => ({ kind: 'lie', lie: random.pick(lies) })],
  rollback: [0, () => ({ kind: 'rollback' })],
}

const dayMs = 86_400_000
const kinds = Object.keys(draws) as FaultKind[]
const totalWeight = kinds.reduce((sum, kind) => sum + draws[kind][0], 0)

export function drawFault(random: SimRandom): Fault {
  let at = random.unit() * totalWeight
  const kind = kinds.find((each) => (at -= draws[each][0]) < 0) ?? 'power'
  return draws[kind][1](random)
}

/** True where a server is not what it was even when the fault is over. */
export function isLasting({ kind }: Fault): boolean {
  return kind === 'rot' || kind === 'lie' || kind === 'rollback'
}

/** True where a fault strikes what is under way when it begins, and not only what comes after. */
export function interrupts({ kind }: Fault): boolean {
  return ['kill', 'power', 'freeze', 'partition', 'reset'].includes(kind)
}

function drawDiskFault(random: SimRandom): DiskFault {
  const call = random.pick([
    ...(['write', 'sync', 'sync', 'rename', 'syncDirectory', 'syncDirectory', 'create'] as const),
    ...([
      'openRead',
      'read',
      'close',
      'readDirectory',
      'space',
      'unlink',
      'makeDirectory',
    ] as const),
  ])
  const changes = call === 'write' || call === 'create' || call === 'sync'
  return {
    call,
    code: changes ? random.pick(['EIO', 'ENOSPC', 'EDQUOT']) : random.pick(['EIO', 'EMFILE']),
    skip: random.pick([0, 0, 0, 1, 2, 5]),
    count: random.pick([1, 1, 2, 50]),
  }
}
