/** One run of one plan, shut off from the machine, and what came of it. */
import type { ErasureCode } from '../../src/encoding/erasure-code.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { BackupWorld, type BackupWorldOptions } from './backup/backup-world.ts'
import type { BackupPlan } from './backup/backup-plan.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { KeepWorld, type KeepWorldOptions } from './keep/keep-world.ts'
import type { KeepPlan } from './keep/keep-plan.ts'
import { LogWorld, type LogWorldOptions } from './logs/log-world.ts'
import type { LogPlan } from './logs/log-plan.ts'
import { rememberingSignatures } from './logs/remembered-signatures.ts'
import type { Plan } from './plan.ts'
import { sealed } from './sealed.ts'
import { SimEncoder } from './sim-encoder.ts'
import type { Stage } from './stage.ts'
import { SimRandom } from './sim-random.ts'
import { Violation } from './violation.ts'
import { World, type WorldOptions } from './world.ts'

export interface RunReport {
  /** The promise that was not kept, if one was not. */
  violation: string | undefined
  /** How often what was reached, suffered and done, by name. */
  counts: [name: string, count: number][]
  events: number
  virtualMs: number
  /** Hash of all that happened. */
  digest: string
}

export type AnyPlan = Plan | LogPlan | BackupPlan | KeepPlan

export type RunOptions = Pick<WorldOptions, 'print' | 'parts'> &
  Pick<LogWorldOptions, 'logParts'> &
  Pick<BackupWorldOptions, 'backupParts'> &
  Pick<KeepWorldOptions, 'keepParts'>

let code: ErasureCode | undefined

export async function runPlan(plan: AnyPlan, options: RunOptions = {}): Promise<RunReport> {
  const world = worldOf(plan, options)
  const strays: unknown[] = []
  const onStray = (error: unknown): void => void strays.push(error)
  const { stackTraceLimit } = Error
  // Errors are made by the thousand, and where one was made is only wanted when somebody reads along.
  if (options.print === undefined) Error.stackTraceLimit = 0
  process.on('unhandledRejection', onStray)
  process.on('warning', onStray)
  try {
    // snapshots are opened with X25519 of a library that blinds its scalars
    const isBackup = 'kind' in plan && plan.kind === 'backup'
    const blinding = isBackup ? new SimRandom(plan.seed).fork('blinding') : undefined
    const run = (): Promise<string | undefined> => sealed(() => outcomeOf(world, strays), blinding)
    const violation = await ('kind' in plan ? rememberingSignatures(run) : run())
    return {
      violation,
      counts: [...world.stage.tally.counts],
      events: world.stage.clock.eventCount,
      virtualMs: world.stage.clock.monotonicMs(),
      digest: world.stage.journal.digest(),
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', onStray)
    process.off('warning', onStray)
  }
}

interface AnyWorld {
  readonly stage: Stage
  run(): Promise<void>
}

function worldOf(plan: AnyPlan, options: RunOptions): AnyWorld {
  code ??= openErasureCode()
  if (!('kind' in plan)) {
    return new World(plan, { ...options, encoder: new SimEncoder(new InlineEncoder(code)) })
  }
  switch (plan.kind) {
    case 'log':
      return new LogWorld(plan, options)
    case 'backup':
      return new BackupWorld(plan, { ...options, code })
    case 'keep':
      return new KeepWorld(plan, { ...options, code })
  }
}

async function outcomeOf(world: AnyWorld, strays: readonly unknown[]): Promise<string | undefined> {
  try {
    await world.run()
  } catch (error) {
    return error instanceof Violation ? error.message : `uncaught: ${(error as Error).stack ?? ''}`
  }
  if (strays.length === 0) return undefined
  return `a rejection or a warning that nobody heeds: ${(strays[0] as Error).stack ?? String(strays[0])}`
}
