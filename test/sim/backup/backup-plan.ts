/** Everything that a run of backups does and suffers, as data, and how a seed draws it. */
import { maxLiars, quorumOf } from '../../../src/log/log-config.ts'
import { drawFault, type Fault, interrupts } from '../fault.ts'
import { lies, type Lie } from '../lies.ts'
import { type LogLie, logLies } from '../logs/log-lies.ts'
import { type FaultEvent, mostInTrouble, troubleOf } from '../plan.ts'
import type { DiskFault } from '../sim-disk.ts'
import { SimRandom } from '../sim-random.ts'
import { drawEdit, drawEdits, drawOverwrite } from './draw-edits.ts'
import type { TreeEdit } from './tree-edit.ts'

export interface BackupPlan {
  kind: 'backup'
  seed: string
  options: BackupPlanOptions
  items: readonly BackupPlanItem[]
}

export interface BackupPlanOptions {
  servers: number
  /** The first so many are spoken to over the network, the others in the same process. */
  wiredServers: number
  machines: number
  k: number
  happy: number
  n: number
  diskBytes: number
  /** Whether keys of contents are in the cache. */
  keys: 'kept' | 'none'
  /** After how many files and extents the journal is written out; never by their number if 0. */
  flushEvery: number
  /** When the faults end. */
  durationMs: number
}

/** A change of a machine's tree. */
export interface EditItem {
  kind: 'edit'
  atMs: number
  machine: number
  edit: TreeEdit
}

/** A run of a backup, and what comes between. */
export interface RunItem {
  kind: 'run'
  atMs: number
  machine: number
  /** A partial snapshot after so many steps of a walk; none if 0. */
  checkpointSteps: number
  /** After how many files a bundle is ended, as if they were large; when it is full if 0. */
  bundleFiles: number
  /** Changes of the tree in the first walk: before a step, before a file is opened, or of the file that is read, in a read and the next. */
  during: readonly { at: 'step' | 'open' | 'read'; count: number; edit: TreeEdit }[]
  /** The machine dies as it is about to change its cache for the `call`-th time. */
  dies?: { call: number; power: boolean; forMs: number }
}

/** What befalls a machine. */
export type MachineEvent =
  | { kind: 'crash'; atMs: number; forMs: number; machine: number; power: boolean }
  /** Somebody empties its cache. */
  | { kind: 'lose'; atMs: number; machine: number }
  /** Its cache comes to be what it was when this began. */
  | { kind: 'restore'; atMs: number; forMs: number; machine: number }
  /** It reaches none of these servers, and they do not reach it. */
  | { kind: 'split'; atMs: number; forMs: number; machine: number; servers: number[] }
  /** Its own disk fails, or is full. */
  | {
      kind: 'machine-disk'
      atMs: number
      forMs: number
      machine: number
      fault: ({ kind: 'disk' } & DiskFault) | { kind: 'full' } | { kind: 'read-only' }
    }

/** Somebody with the read cap reads the log, and the newest snapshots in it. */
export interface ReadItem {
  kind: 'read'
  atMs: number
  /** How many snapshots. */
  last: number
}

export type BackupPlanItem = EditItem | RunItem | MachineEvent | ReadItem | FaultEvent

export const machineEvents: ReadonlySet<string> = new Set([
  'crash',
  'lose',
  'restore',
  'split',
  'machine-disk',
])

/** Before this time all servers start, and the log is begun. */
export const startMs = 10_000

const redundancies = [
  [4, 1, 3, 4],
  [4, 2, 3, 4],
  [5, 2, 4, 5],
  [6, 2, 4, 6],
  [6, 3, 5, 6],
  [7, 2, 5, 7],
  [8, 2, 5, 7],
  [8, 3, 6, 8],
] as const

export function makeBackupPlan(seed: string): BackupPlan {
  const random = new SimRandom(seed).fork('backup plan')
  const options = makeOptions(random)
  const trees = Array.from({ length: options.machines }, () => drawEdits(random, 8, 22))
  const first = trees.flatMap((edits, machine) =>
    edits.map((edit): EditItem => ({ kind: 'edit', atMs: startMs - 1000, machine, edit })),
  )
  const runs = drawRuns(random, options)
  const items: BackupPlanItem[] = [
    ...first,
    ...runs.flatMap((run) => [...drawChanges(random, run), run]),
    ...drawMachineEvents(random, options, runs),
    ...drawFaults(random, options, runs),
    ...drawReads(random, options),
  ]
  return { kind: 'backup', seed, options, items: items.sort((a, b) => a.atMs - b.atMs) }
}

function makeOptions(random: SimRandom): BackupPlanOptions {
  const [servers, k, happy, n] = random.pick(redundancies)
  return {
    servers,
    wiredServers: random.chance(0.5) ? random.between(0, servers) : 0,
    machines: random.pick([1, 1, 1, 2]),
    ...{ k, happy, n },
    diskBytes: random.chance(0.08) ? random.between(20, 200) * 4096 : 2 ** 28,
    keys: random.chance(0.2) ? 'none' : 'kept',
    flushEvery: random.pick([0, 1, 1, 3]),
    durationMs: 600_000,
  }
}

function drawRuns(random: SimRandom, options: BackupPlanOptions): RunItem[] {
  const runs: RunItem[] = []
  for (let machine = 0; machine < options.machines; machine++) {
    let atMs = random.between(startMs, startMs + 20_000)
    for (let count = random.between(2, 4); count > 0 && atMs < options.durationMs; count--) {
      const checkpointSteps = random.chance(0.25) ? random.between(5, 25) : 0
      const run: RunItem = {
        ...{ kind: 'run', atMs, machine },
        checkpointSteps,
        bundleFiles: random.pick(checkpointSteps > 0 ? [2, 5] : [0, 0, 0, 2, 5]),
        during: random.chance(0.3) ? drawDuring(random) : [],
      }
      const willDie = random.chance(0.3)
      if (willDie) {
        const forMs = random.between(100, 20_000)
        run.dies = { call: random.between(1, 14), power: random.chance(0.5), forMs }
      }
      runs.push(run)
      const isSoon = willDie && random.chance(0.7)
      atMs += isSoon ? random.between(20_100, 40_000) : random.between(1000, 200_000)
    }
  }
  return runs
}

function drawDuring(random: SimRandom): RunItem['during'] {
  return Array.from({ length: random.between(1, 4) }, () => {
    const at = random.pick(['step', 'step', 'open', 'read'] as const)
    const edit = at === 'read' ? drawOverwrite(random) : drawEdit(random)
    return { at, count: random.between(0, at === 'read' ? 8 : 25), edit }
  })
}

/** What changes before a run; now and then nothing, and at times within the tick in which it begins. */
function drawChanges(random: SimRandom, { atMs, machine }: RunItem): EditItem[] {
  const count = random.pick([0, 2, 4, 8])
  return Array.from({ length: count }, () => ({
    kind: 'edit',
    atMs: Math.max(startMs, atMs - (random.chance(0.1) ? random.between(0, 4) : 500)),
    machine,
    edit: drawEdit(random),
  }))
}

function drawMachineEvents(
  random: SimRandom,
  { machines, servers, durationMs }: BackupPlanOptions,
  runs: readonly RunItem[],
): MachineEvent[] {
  const events: MachineEvent[] = []
  for (let tries = random.pick([0, 1, 2, 3]); tries > 0; tries--) {
    const run = random.pick(runs)
    const { machine } = run
    const soonMs = run.atMs + Math.ceil(random.exponential(random.pick([5, 50, 500])))
    const atMs = random.between(startMs, durationMs)
    const forMs = Math.ceil(random.exponential(random.pick([3000, 60_000])))
    const at = random.unit()
    if (at < 0.45)
      events.push({ kind: 'crash', atMs: soonMs, forMs, machine, power: random.chance(0.5) })
    else if (at < 0.55) events.push({ kind: 'lose', atMs, machine: random.below(machines) })
    else if (at < 0.7)
      events.push({ kind: 'restore', atMs, forMs: forMs + 60_000, machine: random.below(machines) })
    else if (at < 0.85) {
      const away = random.shuffled(Array.from({ length: servers }, (_, i) => i))
      const apart = away.slice(0, random.between(1, servers))
      events.push({ kind: 'split', atMs: soonMs, forMs: forMs + 20_000, machine, servers: apart })
    } else {
      const fault = drawMachineFault(random)
      events.push({ kind: 'machine-disk', atMs: Math.max(0, run.atMs - 1), forMs, machine, fault })
    }
  }
  return events
}

function drawMachineFault(
  random: SimRandom,
): Extract<MachineEvent, { kind: 'machine-disk' }>['fault'] {
  for (;;) {
    const fault = drawFault(random)
    if (fault.kind === 'disk' || fault.kind === 'full' || fault.kind === 'read-only') return fault
  }
}

/**
 * Draws faults of servers. Most plans keep to what a backup must survive: so few in trouble at one
 * time that a snapshot can be stored and appended, and so few that lie, forget or rot that the log
 * holds and shares are left; the others go beyond, and only truth and an end are asked.
 */
function drawFaults(
  random: SimRandom,
  options: BackupPlanOptions,
  runs: readonly RunItem[],
): FaultEvent[] {
  const { servers, durationMs } = options
  const isTame = random.chance(0.8)
  const events: FaultEvent[] = []
  for (let tries = random.between(0, 12); tries > 0; tries--) {
    const run = random.pick(runs)
    const near = run.atMs + Math.round(random.exponential(random.pick([5, 50, 500])))
    const event: FaultEvent = {
      kind: 'fault',
      atMs: random.chance(0.7) ? near : random.between(startMs, durationMs),
      forMs: Math.ceil(random.exponential(random.pick([50, 2000, 60_000]))),
      server: random.below(servers),
      fault: drawServerFault(random),
    }
    if (!interrupts(event.fault)) event.forMs += 1000
    // At times several servers at once, as when a site loses power.
    const sites = random.chance(0.1) ? random.between(2, servers) : 1
    for (let i = 0; i < sites; i++) {
      const also = { ...event, server: (event.server + i) % servers }
      if (!isTame || isWithin([...events, also], options)) events.push(also)
    }
  }
  return events
}

function drawServerFault(random: SimRandom): Fault {
  const at = random.unit()
  if (at < 0.25) return { kind: 'lie', lie: random.pick(backupLies) }
  if (at < 0.3) return { kind: 'rollback' }
  for (;;) {
    const fault = drawFault(random)
    if (fault.kind !== 'lie') return fault
  }
}

/** Those of shares, and those of logs. */
export const backupLies: readonly (Lie | LogLie)[] = [...new Set([...lies, ...logLies])]

/** Servers that lie, rot or forget, at some time. */
export function lastingTrouble(events: readonly FaultEvent[]): Set<number> {
  const lasting = events.filter((event) => troubleOf(event).toMs === Infinity)
  return new Set(lasting.map(({ server }) => server))
}

/** Whether at any time a snapshot can be stored and appended, and what was can be read. */
export function isWithin(events: readonly FaultEvent[], options: BackupPlanOptions): boolean {
  const { servers, k, happy } = options
  const lasting = lastingTrouble(events).size
  if (lasting > Math.min(maxLiars(servers), happy - k)) return false
  return mostInTrouble(events) <= Math.min(servers - happy, servers - quorumOf(servers))
}

function drawReads(random: SimRandom, { durationMs }: BackupPlanOptions): ReadItem[] {
  return Array.from({ length: random.pick([0, 1, 2]) }, () => ({
    kind: 'read',
    atMs: random.between(startMs + 30_000, durationMs),
    last: random.between(1, 3),
  }))
}
