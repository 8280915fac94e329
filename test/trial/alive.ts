/**
 * What it takes that data stays alive, on ten node processes over months: `npm run trial:alive`. Servers are wiped,
 * a thief adds snapshots, a prune is wrong, an eleventh machine joins.
 */
import '../../src/base/shim.ts'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readKit } from '../../src/backup/keys/recovery-kit.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { formatCap } from '../../src/caps/text.ts'
import { ChildNode } from '../../src/cli/demo/child-node.ts'
import { DemoGrid } from '../../src/cli/demo/demo-grid.ts'
import { grid, mustGrid, printedBy, program, type Ran } from './command.ts'
import { copyRealFiles } from './real-files.ts'
import { secretsIn } from './secrets-in.ts'
import { differences, listTree } from './tree-listing.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const wiped = [1, 4, 7]
/** Days before today at which a month ended, by the thief's word. */
const monthsEnds = [-30, -61, -91, -122]

const directory = fs.mkdtempSync(path.join(tmpdir(), 'grid-trial-'))
const at = (...names: string[]): string => path.join(directory, ...names)
process.env.NODE_OPTIONS = `--import ${path.join(import.meta.dirname, 'later.js')}`

function saw(fact: string): void {
  console.log(`  saw: ${fact}`)
}

/** The day of every process that is started from now on. */
function today(day: number): void {
  process.env.TRIAL_DAYS = String(day)
}

/** Nodes that run are ended in order, and start on another day. */
async function goOn(demo: DemoGrid, day: number): Promise<void> {
  today(day)
  for (const number of nodes) process.kill(demo.pidOf(number)!, 'SIGTERM')
  while (demo.running > 1) await new Promise((resolve) => setTimeout(resolve, 50))
  await demo.start(nodes)
}

async function expectTree(words: readonly string[], wanted: readonly string[]): Promise<void> {
  const back = at('back')
  await mustGrid(at('owner'), ['restore', ...words, back])
  assert.deepEqual(differences(await listTree(back), wanted), [])
  fs.rmSync(back, { recursive: true })
}

/** Shares that nobody holds any more, at all servers. */
async function quarantined(home: string): Promise<number> {
  const { lines } = await grid(home, ['status'])
  const counts = lines.map(
    ({ status }) => (status as { quarantinedCount?: number } | undefined)?.quarantinedCount,
  )
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

function allWell({ end }: Ran): void {
  assert.deepEqual(
    [end.healthy, end.leastServers, end.hidden],
    [end.objects, 10, 0],
    JSON.stringify(end),
  )
}

const startMs = performance.now()
today(0)
const demo = await DemoGrid.open(program)
let eleventh: ChildNode | undefined
try {
  for (const [number, { addresses }] of (await demo.start(nodes)).entries()) {
    // who starts again listens where he did
    const file = path.join(demo.homeOf(`node-${number}`), 'config.toml')
    const [port = ''] = /\/tcp\/\d+/.exec(addresses[0]) ?? []
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('/tcp/0', port))
  }
  await (await demo.openClient('any')).close()
  const config = fs.readFileSync(path.join(demo.homeOf('any'), 'config.toml'), 'utf8')
  const introducer = /^introducers = \["([^"]+)"\]/m.exec(config)?.[1] ?? ''
  fs.mkdirSync(at('empty'))
  fs.mkdirSync(at('files'))
  copyRealFiles(path.join(root, 'node_modules'), at('files/tree'), 80)
  const first = await listTree(at('files/tree'))
  const init = ['backup', 'init', '--read', '--introducer', introducer, '--device', 'box']
  const { cap: admin } = readKit(await printedBy(at('owner'), init))
  assert.ok(admin.type === 'LOG-Admin')
  fs.writeFileSync(at('admin.cap'), formatCap(admin), { mode: 0o600 })
  await mustGrid(at('owner'), ['backup', at('files/tree')])
  await mustGrid(at('owner'), ['repair', '--log', 'backup'])
  allWell(await mustGrid(at('owner'), ['check', '--log', 'backup']))
  saw('a backup, all of it on ten servers')

  // the thief has the append cap, a home of his own, and any clock he likes
  fs.copyFileSync(at('owner/private/backups/backup'), at('stolen.cap'))
  const append = fs
    .readFileSync(at('stolen.cap'), 'utf8')
    .split('\n')
    .filter((line) => /append/i.test(line))
  fs.writeFileSync(at('stolen.cap'), `${append[0]}\n`, { mode: 0o600 })
  const join = ['backup', 'init', '--append-cap-file', at('stolen.cap'), '--introducer', introducer]
  await mustGrid(at('thief'), join)
  for (const day of monthsEnds) {
    today(day)
    await mustGrid(at('thief'), ['backup', '--name', 'tree', at('empty')])
  }
  today(0)
  saw(
    `a thief with the append cap adds ${monthsEnds.length} empty snapshots, dated at months' ends`,
  )

  await goOn(demo, 40)
  for (const number of wiped) {
    await demo.kill([number])
    fs.rmSync(path.join(demo.homeOf(`node-${number}`), 'storage'), { recursive: true })
    await demo.start([number])
  }
  const found = await grid(at('owner'), ['check', '--log', 'backup'])
  assert.equal(found.exit, 7, JSON.stringify(found.end))
  assert.ok((found.end.healthy as number) < (found.end.objects as number))
  saw(`three servers wiped: the check ends with 7, and says ${String(found.end.next)}`)

  const keeper = ['init', '--introducer', introducer]
  await mustGrid(at('keeper'), keeper)
  const verify = formatCap(attenuate(admin, 'LOG-Verify'))
  await mustGrid(at('keeper'), ['keeper', 'add', '--cap-stdin'], verify)
  await mustGrid(at('keeper'), ['keeper', 'run', '--once'])
  const read = attenuate(admin, 'LOG-Read')
  assert.deepEqual(secretsIn(at('keeper'), [admin.adminSeed, read.readSeed]), [])
  assert.equal(
    (await grid(at('keeper'), ['snapshots', '--read-cap-file', at('stolen.cap')])).exit,
    8,
  )
  allWell(await mustGrid(at('owner'), ['check', '--log', 'backup', '--verify']))
  saw(
    'a keeper with a verify cap alone brings every object back to ten servers, and holds nothing that reads',
  )

  fs.rmSync(at('files/tree'), { recursive: true })
  copyRealFiles(path.join(root, 'node_modules/typescript'), at('files/tree'), 40, {
    maxBytes: 2 ** 18,
  })
  const second = await listTree(at('files/tree'))
  await mustGrid(at('owner'), ['backup', at('files/tree')])
  await mustGrid(at('owner'), ['restore-test', 'latest', '--admin-cap-file', at('admin.cap')])
  saw('a later backup, tested')

  await goOn(demo, 80)
  const grant = ['log', 'grant', '--prune', '--device', 'pruner', '--cap-file', at('admin.cap')]
  const granted = await mustGrid(at('owner'), grant)
  const prune = String(granted.lines.find(({ cap }) => cap !== undefined)?.cap)
  const kept = await mustGrid(at('keeper'), ['prune', '--keep-monthly', '24', '--cap-stdin'], prune)

  assert.ok((kept.end.kept as number) >= 3, JSON.stringify(kept.end))
  await expectTree(['box:1:tree'], first)
  await expectTree(['latest:tree'], second)
  saw('a prune by months keeps the true snapshots of both months, whatever the thief has dated')

  // what the first prune touched is on its way into a snapshot for three days
  await goOn(demo, 90)
  assert.equal(await quarantined(at('owner')), 0)
  const wrong = await mustGrid(
    at('keeper'),
    ['prune', '--keep-last', '1', '--yes', '--cap-stdin'],
    prune,
  )
  assert.ok((wrong.end.objects as number) > 0, JSON.stringify(wrong.end))
  assert.ok((await quarantined(at('owner'))) > 0)
  await mustGrid(at('keeper'), ['prune', '--undo', '1', '--cap-stdin'], prune)
  assert.equal(await quarantined(at('owner')), 0)
  await expectTree(['box:1:tree'], first)
  saw('a wrong prune sets the first backup aside; undone, all of it is held again and restored')

  const invited = await mustGrid(demo.homeOf('introducer'), [
    'invite',
    '--yes',
    '--server',
    '--name',
    'eleventh',
  ])
  const link = String(invited.lines.map(({ link }) => link).find((text) => text !== undefined))
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '--reserve', '64MiB']
  await mustGrid(at('eleventh'), ['join', ...listen], link)
  eleventh = new ChildNode(program, ['node', 'run'], at('eleventh'))
  await eleventh.listening
  for (let i = 0; (await grid(at('owner'), ['status'])).end.answering !== 11; i++)
    assert.ok(i < 10, 'nobody hears of it')
  await mustGrid(at('owner'), ['rebalance', '--log', 'backup'])
  const shares = fs
    .readdirSync(at('eleventh/storage/shares'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).length
  assert.ok(shares > 0)
  saw(`an eleventh machine joins by one pasted line, and takes its part: ${shares} shares`)
  console.log(`all of it was seen, in ${Math.round((performance.now() - startMs) / 1000)} s`)
} finally {
  await eleventh?.stop()
  await demo.close()
  fs.rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
