/** How long the command line takes from its start to its end, beside an empty Node. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Figure } from './figure.ts'

const runs = 7

export async function benchStartup(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
  const home = path.join(directory, 'home')
  const file = path.join(directory, 'file')
  writeFileSync(file, 'x'.repeat(1024))
  try {
    const bare = medianMs(['-e', '0'])
    const limit = { name: 'node -e 0', value: bare }
    const help = medianMs([program, '--help'])
    const put = medianMs([program, 'put', file, '--home', home, '-q'])
    return [
      { name: 'grid --help', value: help, unit: 'ms', limit, reach: '≤ 2 × the limit' },
      { name: 'grid put of 1 KiB, embedded grid', value: put, unit: 'ms', limit, reach: '≤ 600' },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** After one run that warms the caches. */
function medianMs(words: readonly string[]): number {
  const times: number[] = []
  for (let i = 0; i <= runs; i++) {
    const start = performance.now()
    const { status } = spawnSync(process.execPath, words)
    if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}`)
    times.push(performance.now() - start)
  }
  return times.slice(1).sort((a, b) => a - b)[Math.floor(runs / 2)] ?? NaN
}
