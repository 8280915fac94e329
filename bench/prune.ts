/**
 * A prune of 100 daily snapshots over a real tree of some 60,000 files, in an embedded grid on this
 * disk, by the command line as a user runs it: how long, and how much memory. `GRID_BENCH_SNAPSHOTS`
 * asks for another number, `TREE_BYTES` for another size of the tree.
 */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readKit } from '../src/backup/keys/recovery-kit.ts'
import { formatCap } from '../src/caps/text.ts'
import type { Figure } from './figure.ts'
import { makers } from './peers/make-data.ts'

const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
const later = path.resolve(import.meta.dirname, '../test/trial/later.js')
const snapshots = Number(process.env.GRID_BENCH_SNAPSHOTS ?? 100)
/** Files that change from one snapshot to the next. */
const changed = 20

export async function benchPrune(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  const tree = path.join(directory, 'tree')
  const home = path.join(directory, 'home')
  try {
    mkdirSync(tree)
    makers.tree(tree)
    const { printed } = await grid(home, 0, [
      'backup',
      'init',
      '--read',
      '--device',
      'box',
      '--quiet',
    ])
    const { cap } = readKit(printed)
    const admin = path.join(directory, 'admin.cap')
    writeFileSync(admin, formatCap(cap), { mode: 0o600 })
    mkdirSync(path.join(tree, 'news'))
    for (let day = 0; day < snapshots; day++) {
      for (let i = 0; i < changed; i++)
        appendFileSync(path.join(tree, 'news', `${i}.txt`), `news of day ${day}\n`)
      await grid(home, day, ['backup', tree, '--quiet'])
    }
    const asAdmin = ['--quiet', '--admin-cap-file', admin]
    await grid(home, snapshots, ['restore-test', 'latest', ...asAdmin])
    const keep = ['--keep-daily', '3', '--keep-monthly', '2', '--yes', '--json']
    const {
      seconds,
      residentMiB,
      printed: told,
    } = await grid(home, snapshots + 30, [...['prune', ...keep, '--cap-file', admin]])
    console.log(told.trim().split('\n').at(-1))
    const name = `prune of ${snapshots} snapshots`
    return [
      { name, value: seconds, unit: 's', reach: '≤ 10' },
      { name: `${name}: memory at most`, value: residentMiB, unit: 'MiB', reach: '≤ 286' },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Ran {
  printed: string
  seconds: number
  residentMiB: number
}

/** Runs `grid WORDS` by a clock that is so many days later. Throws unless it ends with 0. */
async function grid(home: string, day: number, words: readonly string[]): Promise<Ran> {
  const start = performance.now()
  const child = spawn(process.execPath, [program, ...words, '--home', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: `--import ${later}`, TRIAL_DAYS: String(day) },
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (printed += piece))
  let residentMiB = 0
  const watching = setInterval(() => {
    residentMiB = Math.max(residentMiB, peakMiB(child.pid))
  }, 20)
  const exit = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearInterval(watching)
  if (exit !== 0) throw new Error(`grid ${words.join(' ')}: exit ${exit}`)
  return { printed, seconds: (performance.now() - start) / 1000, residentMiB }
}

function peakMiB(pid: number | undefined): number {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib ?? 0) / 1024
  } catch {
    return 0
  }
}
