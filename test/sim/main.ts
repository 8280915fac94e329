/**
 * Runs the simulated grid from the command line (docs/simulation.md): files, logs, backups, or all.
 *
 *   npm run sim -- --seeds 2000 --from 1
 *   npm run sim -- --kind logs --seeds 5000
 *   npm run sim -- --plan failure.json
 */
import '../../src/base/shim.ts'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  planOf,
  runFleet,
  serveFleet,
  type FleetReport,
  type SeedRange,
  type WorldKind,
  worldKinds,
} from './fleet.ts'
import { type AnyPlan, runPlan } from './run-plan.ts'
import { shrink } from './shrink.ts'
import { sometimes, sometimesOfBackups, sometimesOfKeeping, sometimesOfLogs } from './tally.ts'

/** From so many seeds on, a rare state that was never reached is a failure. */
const manySeeds = 2000

/** What so many runs must reach. */
const rare: Record<WorldKind, readonly string[]> = {
  files: sometimes,
  logs: sometimesOfLogs,
  backup: sometimesOfBackups,
  keep: sometimesOfKeeping,
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    kind: { type: 'string', default: 'all' },
    workers: { type: 'string', default: '2' },
    plan: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
})

if (values.worker) serveFleet()
else if (values.plan !== undefined) process.exitCode = await replay(values.plan)
else {
  const seeds = { from: Number(values.from), count: Number(values.seeds) }
  for (const kind of kindsOf(values.kind)) {
    const exitCode = await runSeeds({ kind, ...seeds }, Number(values.workers))
    if (exitCode !== 0) process.exitCode = exitCode
  }
}

function kindsOf(name: string): WorldKind[] {
  const kinds = worldKinds.filter((kind) => name === 'all' || name === kind)
  if (kinds.length === 0) throw new RangeError(`--kind is ${worldKinds.join(', ')} or all`)
  return kinds
}

async function runSeeds(range: SeedRange, workers: number): Promise<number> {
  const { kind } = range
  const startMs = Date.now()
  let told = 0
  const report = await runFleet(range, workers, ({ seeds }) => {
    if (seeds < told + 500) return
    told = seeds
    console.error(`${seeds} seeds of ${kind}`)
  })
  printSummary(kind, report, (Date.now() - startMs) / 1000)
  if (report.failure !== undefined) return explain(kind, report.failure)
  const missing = rare[kind].filter((name) => !report.counts.has(name))
  if (report.seeds < manySeeds || missing.length === 0) return 0
  console.log(`Never reached in ${report.seeds} seeds of ${kind}:\n  ${missing.join('\n  ')}`)
  return 1
}

function printSummary(
  kind: WorldKind,
  { seeds, events, virtualMs, counts }: FleetReport,
  seconds: number,
): void {
  const days = Math.round(virtualMs / 86_400_000)
  console.log(
    `${seeds} seeds of ${kind} in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds/s), ` +
      `${events} events, ${days} days of grid time`,
  )
  for (const [name, count] of [...counts].sort()) {
    console.log(`  ${String(count).padStart(9)}  ${name}`)
  }
}

/** Prints a failing seed, and the fewest items of its plan that still fail. */
async function explain(
  kind: WorldKind,
  { seed, violation }: { seed: number; violation: string },
): Promise<number> {
  console.log(`\nSeed ${seed} fails: ${violation}`)
  console.log(`Replay it with: npm run sim -- --kind ${kind} --from ${seed} --seeds 1`)
  const plan = planOf(kind, seed)
  const withItems = (items: readonly unknown[]) => ({ ...plan, items }) as typeof plan
  const fails = async (items: readonly unknown[]): Promise<boolean> =>
    (await runPlan(withItems(items))).violation !== undefined
  const items = await shrink<unknown>(plan.items, fails)
  console.log(`\n${items.length} of its ${plan.items.length} items suffice. Save this as`)
  console.log('failure.json and follow it with: npm run sim -- --plan failure.json\n')
  console.log(formatPlan(withItems(items)))
  return 1
}

async function replay(path: string): Promise<number> {
  const plan = JSON.parse(readFileSync(path, 'utf8')) as AnyPlan
  const { violation } = await runPlan(plan, { print: (line) => console.log(line) })
  console.log(violation === undefined ? 'Every promise was kept.' : `It fails: ${violation}`)
  return violation === undefined ? 0 : 1
}

/** One item a line, so that a person can take some out. */
function formatPlan({ seed, options, items, ...rest }: AnyPlan): string {
  const lines = items.map((item) => `    ${JSON.stringify(item)}`)
  return [
    '{',
    ...('kind' in rest ? [`  "kind": ${JSON.stringify(rest.kind)},`] : []),
    `  "seed": ${JSON.stringify(seed)},`,
    `  "options": ${JSON.stringify(options)},`,
    '  "items": [',
    lines.join(',\n'),
    '  ]',
    '}',
  ].join('\n')
}
