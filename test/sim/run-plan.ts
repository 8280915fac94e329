/** One run of one plan, shut off from the machine, and what came of it. */
import type { ErasureCode } from '../../src/encoding/erasure-code.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { LogWorld, type LogWorldOptions } from './logs/log-world.ts'
import type { LogPlan } from './logs/log-plan.ts'
import { rememberingSignatures } from './logs/remembered-signatures.ts'
import type { Plan } from './plan.ts'
import { sealed } from './sealed.ts'
import { SimEncoder } from './sim-encoder.ts'
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

export type RunOptions = Pick<WorldOptions, 'print' | 'parts'> & Pick<LogWorldOptions, 'logParts'>

let code: ErasureCode | undefined

export async function runPlan(plan: Plan | LogPlan, options: RunOptions = {}): Promise<RunReport> {
  code ??= openErasureCode()
  const encoder = new SimEncoder(new InlineEncoder(code))
  const world =
    'kind' in plan ? new LogWorld(plan, options) : new World(plan, { ...options, encoder })
  const strays: unknown[] = []
  const onStray = (error: unknown): void => void strays.push(error)
  const { stackTraceLimit } = Error
  // Errors are made by the thousand, and where one was made is only wanted when somebody reads along.
  if (options.print === undefined) Error.stackTraceLimit = 0
  process.on('unhandledRejection', onStray)
  process.on('warning', onStray)
  try {
    const run = (): Promise<string | undefined> => sealed(() => outcomeOf(world, strays))
    const violation = await ('kind' in plan ? rememberingSignatures(run) : run())
    return {
      violation,
      counts: [...world.tally.counts],
      events: world.clock.eventCount,
      virtualMs: world.clock.monotonicMs(),
      digest: world.journal.digest(),
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', onStray)
    process.off('warning', onStray)
  }
}

async function outcomeOf(
  world: World | LogWorld,
  strays: readonly unknown[],
): Promise<string | undefined> {
  try {
    await world.run()
  } catch (error) {
    return error instanceof Violation ? error.message : `uncaught: ${(error as Error).stack ?? ''}`
  }
  if (strays.length === 0) return undefined
  return `a rejection or a warning that nobody heeds: ${(strays[0] as Error).stack ?? String(strays[0])}`
}
