/**
 * Runs seeds in child processes, a few at a time to each, and gathers what came of them. The seeds
 * are handed out in order, so the first that fails is known when its elders have ended.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { makeBackupPlan } from './backup/backup-plan.ts'
import { makeKeepPlan } from './keep/keep-plan.ts'
import { makeLogPlan } from './logs/log-plan.ts'
import { makePlan } from './plan.ts'
import { type AnyPlan, runPlan, type RunReport } from './run-plan.ts'

/** What is simulated: the life of files, of a log, of backups, or of what is kept for years. */
export const worldKinds = ['files', 'logs', 'backup', 'keep'] as const
export type WorldKind = (typeof worldKinds)[number]

export interface SeedRange {
  kind: WorldKind
  from: number
  count: number
}

export interface FleetReport {
  /** Seeds that were run. */
  seeds: number
  /** The first that failed, and how. */
  failure: { seed: number; violation: string } | undefined
  counts: Map<string, number>
  events: number
  virtualMs: number
}

type SeedReport = Omit<RunReport, 'digest'> & { seed: number }

const batchSize = 10
/** Every so many seeds one is run twice, and must come out the same. */
const repeatEvery = 50

/** Runs all seeds of `range`, or stops at the first that fails. */
export async function runFleet(
  range: SeedRange,
  workers: number,
  onProgress: (report: FleetReport) => void,
): Promise<FleetReport> {
  const total: FleetReport = {
    seeds: 0,
    failure: undefined,
    counts: new Map(),
    events: 0,
    virtualMs: 0,
  }
  let next = range.from
  const end = range.from + range.count
  const take = (): SeedRange | undefined => {
    if (next >= end || total.failure !== undefined) return undefined
    const batch = { kind: range.kind, from: next, count: Math.min(batchSize, end - next) }
    next += batch.count
    return batch
  }
  const note = (report: SeedReport): void => {
    add(total, report)
    onProgress(total)
  }
  await Promise.all(Array.from({ length: workers }, () => runWorker(take, note)))
  return total
}

/** What a child process does: runs the seeds it is told of and reports each. */
export function serveFleet(): void {
  process.on('message', (batch: SeedRange) => {
    void (async () => {
      for (let seed = batch.from; seed < batch.from + batch.count; seed++) {
        process.send?.(await runSeed(batch.kind, seed))
      }
      process.send?.('done')
    })()
  })
}

/** The plan of a seed. */
export function planOf(kind: WorldKind, seed: number): AnyPlan {
  return makers[kind](String(seed))
}

const makers: Record<WorldKind, (seed: string) => AnyPlan> = {
  files: makePlan,
  logs: makeLogPlan,
  backup: makeBackupPlan,
  keep: makeKeepPlan,
}

async function runSeed(kind: WorldKind, seed: number): Promise<SeedReport> {
  const plan = planOf(kind, seed)
  const { digest, ...report } = await runPlan(plan)
  if (report.violation === undefined && seed % repeatEvery === 0) {
    const again = await runPlan(plan)
    if (again.digest !== digest) report.violation = 'two runs of one seed differ'
  }
  return { seed, ...report }
}

function runWorker(
  take: () => SeedRange | undefined,
  note: (report: SeedReport) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.resolve('./main.js')), ['--worker'])
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`a simulating process ended with ${code ?? 'a signal'}`))
    })
    child.on('message', (message: SeedReport | 'done') => {
      if (message === 'done') handOut(child, take())
      else note(message)
    })
    handOut(child, take())
  })
}

function handOut(child: ChildProcess, batch: SeedRange | undefined): void {
  if (batch === undefined) child.disconnect()
  else child.send(batch)
}

function add(total: FleetReport, { seed, violation, counts, events, virtualMs }: SeedReport): void {
  total.seeds++
  total.events += events
  total.virtualMs += virtualMs
  for (const [name, count] of counts) {
    total.counts.set(name, (total.counts.get(name) ?? 0) + count)
  }
  if (violation !== undefined && seed < (total.failure?.seed ?? Infinity)) {
    total.failure = { seed, violation }
  }
}
