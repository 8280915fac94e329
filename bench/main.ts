/**
 * Runs the benchmarks, prints a table and writes bench/results/latest.json: each figure stands
 * beside a limit that was measured in the same run, since machines differ and their speed drifts.
 *
 *     npm run bench                 all of them
 *     npm run bench -- kernel grid  some
 */
import '../src/base/shim.ts'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { collectSeldom } from '../src/cli/heap.ts'
import type { Figure } from './figure.ts'

const benches: Record<string, () => Promise<Figure[]>> = {
  kernel: async () => (await import('./kernel.ts')).benchKernel(),
  chunker: async () => (await import('./chunker.ts')).benchChunker(),
  encode: async () => (await import('./encode.ts')).benchEncode(),
  startup: async () => (await import('./startup.ts')).benchStartup(),
  tree: async () => (await import('./tree.ts')).benchTree(),
  log: async () => (await import('./log.ts')).benchLog(),
  idle: async () => (await import('./idle.ts')).benchIdle(),
  grid: async () => (await import('./grid.ts')).benchGrid(),
  prune: async () => (await import('./prune.ts')).benchPrune(),
  shares: async () => (await import('./many-shares.ts')).benchManyShares(),
  keep: async () => (await import('./keep.ts')).benchKeep(),
}

// as the command line does
collectSeldom()

const wanted = process.argv.slice(2)
const all: Figure[] = []
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const figures = await bench()
  all.push(...figures)
  for (const figure of figures) console.log(line(figure))
}
mkdirSync('bench/results', { recursive: true })
const machine = {
  node: process.version,
  cpu: os.cpus()[0]?.model,
  cores: os.cpus().length,
  load: os.loadavg(),
}
writeFileSync(
  'bench/results/latest.json',
  `${JSON.stringify({ machine, figures: all }, undefined, 2)}\n`,
)
process.exit(0)

function line({ name, value, unit, limit, reach }: Figure): string {
  const beside = limit ? `${limit.name}: ${shown(limit.value)}` : ''
  const aim = reach === undefined ? '' : `reach ${reach}`
  return `${name.padEnd(46)} ${`${shown(value)} ${unit}`.padStart(14)}   ${beside.padEnd(34)} ${aim}`.trimEnd()
}

function shown(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}
