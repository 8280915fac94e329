/**
 * Runs the simulated grid from the command line (docs/simulation.md).
 *
 *   npm run sim -- --seeds 2000 --from 1
 *   npm run sim -- --plan failure.json
 */
import '../../src/base/shim.ts'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runFleet, serveFleet, type FleetReport } from './fleet.ts'
import { makePlan, type Plan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import { shrink } from './shrink.ts'
import { sometimes } from './tally.ts'

/** From so many seeds on, a rare state that was never reached is a failure. */
const manySeeds = 2000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    plan: { type: 'string' },
    worker: { type: 'boolean', default: false },
  },
})

if (values.worker) serveFleet()
else if (values.plan !== undefined) process.exitCode = await replay(values.plan)
else {
  const range = { from: Number(values.from), count: Number(values.seeds) }
  process.exitCode = await runSeeds(range, Number(values.workers))
}

async function runSeeds(range: { from: number; count: number }, workers: number): Promise<number> {
  const startMs = Date.now()
  let told = 0
  const report = await runFleet(range, workers, ({ seeds }) => {
    if (seeds < told + 500) return
    told = seeds
    console.error(`${seeds} seeds`)
  })
  printSummary(report, (Date.now() - startMs) / 1000)
  if (report.failure !== undefined) return explain(report.failure)
  const missing = sometimes.filter((name) => !report.counts.has(name))
  if (report.seeds < manySeeds || missing.length === 0) return 0
  console.log(`Never reached in ${report.seeds} seeds:\n  ${missing.join('\n  ')}`)
  return 1
}

function printSummary({ seeds, events, virtualMs, counts }: FleetReport, seconds: number): void {
  const days = Math.round(virtualMs / 86_400_000)
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds/s), ` +
      `${events} events, ${days} days of grid time`,
  )
  for (const [name, count] of [...counts].sort()) {
    console.log(`  ${String(count).padStart(9)}  ${name}`)
  }
}

/** Prints a failing seed, and the fewest items of its plan that still fail. */
async function explain({ seed, violation }: { seed: number; violation: string }): Promise<number> {
  console.log(`\nSeed ${seed} fails: ${violation}`)
  console.log(`Replay it with: npm run sim -- --from ${seed} --seeds 1`)
  const plan = makePlan(String(seed))
  const fails = async (items: Plan['items']): Promise<boolean> =>
    (await runPlan({ ...plan, items })).violation !== undefined
  const items = await shrink(plan.items, fails)
  console.log(`\n${items.length} of its ${plan.items.length} items suffice. Save this as`)
  console.log('failure.json and follow it with: npm run sim -- --plan failure.json\n')
  console.log(formatPlan({ ...plan, items }))
  return 1
}

async function replay(path: string): Promise<number> {
  const plan = JSON.parse(readFileSync(path, 'utf8')) as Plan
  const { violation } = await runPlan(plan, { print: (line) => console.log(line) })
  console.log(violation === undefined ? 'Every promise was kept.' : `It fails: ${violation}`)
  return violation === undefined ? 0 : 1
}

/** One item a line, so that a person can take some out. */
function formatPlan({ seed, options, items }: Plan): string {
  const lines = items.map((item) => `    ${JSON.stringify(item)}`)
  return [
    '{',
    `  "seed": ${JSON.stringify(seed)},`,
    `  "options": ${JSON.stringify(options)},`,
    '  "items": [',
    lines.join(',\n'),
    '  ]',
    '}',
  ].join('\n')
}
