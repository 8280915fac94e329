/**
 * A trial of recovery from the printed kit alone, with the commands that a user has, a process each:
 * `node dist/test/trial/recovery.js`. On disks of this machine, and on ten node processes.
 */
import '../../src/base/shim.ts'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { formatKit, readKit } from '../../src/backup/keys/recovery-kit.ts'
import { formatCap } from '../../src/caps/text.ts'
import { DemoGrid } from '../../src/cli/demo/demo-grid.ts'
import { grid, mustGrid, type Ran } from './command.ts'
import { copyRealFiles } from './real-files.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const program = path.join(root, 'dist/bundle/grid.js')
const fileCount = 300

function saw(fact: string): void {
  console.log(`  saw: ${fact}`)
}

/** The paper: what `backup init` printed, as a person would have it. */
function paperOf({ lines }: Ran): string {
  const [{ cap, location }] = lines.filter((line) => line.cap !== undefined)
  const kit = readKit(`${String(location)}\n${String(cap)}`)
  return formatKit({ ...kit, logName: 'backup', host: 'trial', dateMs: Date.now() })
}

/** Restores as `recover` says, and compares. */
async function restored(home: string, { lines }: Ran, files: string): Promise<void> {
  const next = String(lines.find((line) => line.next !== undefined)?.next).split(' ')
  assert.equal(next.shift(), 'grid')
  const back = path.join(directory, 'back')
  rmSync(back, { recursive: true, force: true })
  await mustGrid(
    home,
    next.map((word) => (word === 'DEST' ? back : word)),
  )
  execFileSync('diff', ['-r', files, back])
}

const directory = mkdtempSync(path.join(tmpdir(), 'grid-trial-'))
const at = (...names: string[]): string => path.join(directory, ...names)
const files = at('files')
mkdirSync(files)
copyRealFiles(path.join(root, 'node_modules'), at('files/tree'), fileCount)
const demo = await DemoGrid.open(program)
try {
  console.log('disks of this machine')
  const words = ['backup', 'init', '--disks', at('disk a'), '--disks', at('disk b')]
  const onDisks = paperOf(await mustGrid(at('one'), words))
  await mustGrid(at('one'), ['backup', files])
  rmSync(at('one'), { recursive: true })
  const first = await mustGrid(at('two'), ['recover'], onDisks)
  assert.equal(first.end.snapshots, 1)
  await restored(at('two'), first, files)
  saw('everything back from the kit and the disks, without the home that made them')

  await mustGrid(at('two'), ['recover', '--device', 'two'], onDisks)
  await mustGrid(at('two'), ['backup', files])
  rmSync(at('two'), { recursive: true })
  for (const disk of ['disk a', 'disk b']) renameSync(at(disk), at(`moved ${disk}`))
  const lost = await grid(at('three'), ['recover'], onDisks)
  assert.equal(lost.exit, 1)
  const here = ['--disks', at('moved disk b'), '--disks', at('moved disk a')]
  const moved = await mustGrid(at('three'), ['recover', ...here], onDisks)
  assert.equal(moved.end.snapshots, 2)
  await restored(at('three'), moved, files)
  saw('a recovered machine adds to the log, and the disks may move and change places')

  rmSync(at('moved disk a'), { recursive: true })
  const half = await grid(at('four'), ['recover', '--disks', at('moved disk b')], onDisks)
  assert.equal(half.exit, 0, JSON.stringify(half.end))
  assert.equal(half.end.state, 'STALE-POSSIBLE')
  assert.equal(half.end.snapshots, 2)
  await restored(at('four'), half, files)
  saw('one of two disks is left: STALE-POSSIBLE, and all of it is back')

  console.log('ten node processes')
  await demo.start(Array.from({ length: 10 }, (_, i) => i))
  await (await demo.openClient('any')).close()
  const config = readFileSync(path.join(demo.homeOf('any'), 'config.toml'), 'utf8')
  const [, introducer = ''] = /^introducers = \["([^"]+)"\]/m.exec(config) ?? []
  const init = await mustGrid(at('net'), ['backup', 'init', '--introducer', introducer])
  const paper = paperOf(init)
  await mustGrid(at('net'), ['backup', files])
  rmSync(at('net'), { recursive: true })
  const upper = paper.replace(/URI:[^]*?(?=\n\n)/, (cap) => cap.toUpperCase())
  const far = await mustGrid(at('net2'), ['recover', '--device', 'newbox'], upper)
  assert.equal(far.end.snapshots, 1)
  assert.equal(far.end.state, 'FRESH')
  saw('the kit is read in large letters, and lets a new machine in')
  const admin = formatCap(readKit(paper).cap)
  const grant = ['log', 'grant', '--device', 'third', '--cap-stdin']
  const { lines: granted } = await mustGrid(at('net2'), grant, admin)
  const append = String(granted.find(({ cap }) => cap !== undefined)?.cap)
  writeFileSync(at('third.cap'), append, { mode: 0o600 })
  const join = ['backup', 'init', '--append-cap-file', at('third.cap'), '--introducer', introducer]
  await mustGrid(at('net3'), join)
  await mustGrid(at('net2'), ['backup', files])
  await mustGrid(at('net3'), ['backup', files])
  await demo.kill([0, 1, 2])
  const last = await mustGrid(at('net4'), ['recover'], paper)
  assert.equal(last.end.snapshots, 3)
  await restored(at('net4'), last, files)
  saw('three machines in one log; three of ten servers dead, and all of it is back')
  console.log('all seen')
} finally {
  await demo.close()
  rmSync(directory, { recursive: true, force: true })
}
