/**
 * A trial of directories and logs on ten node processes, with the commands that a user has:
 * `node dist/test/trial/logs.js`. Prints each fact as it is seen; ends with 1 at the first that is not.
 */
import '../../src/base/shim.ts'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DemoGrid } from '../../src/cli/demo/demo-grid.ts'
import { grid, mustGrid } from './command.ts'
import { copyRealFiles } from './real-files.ts'
import { tryAll } from './thief.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const program = path.join(root, 'dist/bundle/grid.js')
const liar = path.join(import.meta.dirname, 'lying-node.js')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const fileCount = 5000

function saw(fact: string): void {
  console.log(`  saw: ${fact}`)
}

/** What `log audit` concludes. */
async function audit(home: string, cap: string): Promise<{ state: unknown; heads: unknown[] }> {
  const { end, lines } = await grid(home, ['log', 'audit', '--cap-stdin'], cap)
  const heads = lines.flatMap(({ head }) => (head === undefined ? [] : [head]))
  return { state: end.state, heads }
}

/** What proves that entries are hidden: kinds of witnesses, each once. */
async function evidence(home: string, cap: string): Promise<unknown[]> {
  const { end, lines } = await grid(home, ['log', 'audit', '--cap-stdin'], cap)
  assert.equal(end.state, 'TRUNCATED')
  return [
    ...new Set(
      lines.flatMap(({ type, evidence: kind }) => (type === 'item' && kind ? [kind] : [])),
    ),
  ]
}

const directory = mkdtempSync(path.join(tmpdir(), 'grid-trial-'))
const demo = await DemoGrid.open(program)
try {
  const listening = await demo.start(nodes)
  const names = ['client', 'second', 'thief', 'fresh']
  const [home, second, thief, fresh] = names.map((name) => demo.homeOf(name))
  for (const name of names) await (await demo.openClient(name)).close()

  // an alias, a tree of real files, a file changed twice
  const { lines: made } = await mustGrid(home, ['alias', 'create', 'work'])
  const admin = String(made.find(({ cap }) => String(cap).startsWith('URI:LOG-Admin'))?.cap)
  const files = path.join(directory, 'files')
  copyRealFiles(path.join(root, 'node_modules'), files, fileCount)
  const copied = await mustGrid(home, ['cp', '-r', files, 'work:tree'])
  saw(`${fileCount} real files copied in, in ${copied.seconds.toFixed(1)} s`)
  const changed = path.join(directory, 'README.md')
  for (const text of ['first\n', 'second\n']) {
    writeFileSync(changed, text.repeat(100))
    await mustGrid(home, ['put', changed, 'work:tree/README.md'])
  }
  const history = await mustGrid(home, ['history', 'work:tree/README.md'])
  const versions = history.lines.filter(({ version }) => version !== undefined)
  assert.equal(versions.length, 2)
  saw('a file changed twice, and both versions in its history')
  const back = path.join(directory, 'back')
  await mustGrid(home, ['cp', '-r', 'work:tree', back])
  rmSync(path.join(back, 'README.md'))
  execFileSync('diff', ['-r', files, back])
  saw('the tree copied out, every file the same')

  // a second home with an append cap
  const { lines: granted } = await mustGrid(
    home,
    ['log', 'grant', '--device', 'second', '--cap-stdin'],
    admin,
  )
  const append = String(granted.find(({ cap }) => String(cap).startsWith('URI:LOG-Append'))?.cap)
  const { lines: shown } = await mustGrid(home, ['stat', '--cap', 'work:tree'])
  const tree = String(shown.find(({ cap }) => cap !== undefined)?.cap)
  const appendFile = path.join(directory, 'append.cap')
  writeFileSync(appendFile, append, { mode: 0o600 })
  await mustGrid(second, ['log', 'append', '--cap-file', appendFile, '-'], tree)
  assert.equal((await audit(home, admin)).state, 'FRESH')
  saw('an entry added by a second home with an append cap')
  for (const words of [
    ['log', 'read'],
    ['log', 'audit'],
    ['log', 'revoke', 'vm'],
    ['log', 'grant', '--device', 'third'],
    ['cap', 'attenuate', '--to', 'LOG-Read'],
  ]) {
    const { exit, end } = await grid(second, [...words, '--cap-stdin'], append)
    assert.equal(exit, 8, `${words.join(' ')}: ${JSON.stringify(end)}`)
  }
  saw('every try to read, revoke, grant or strengthen with the append cap refused')

  // a thief with an append cap asks servers for more than the commands would
  const { lines: stolen } = await mustGrid(
    home,
    ['log', 'grant', '--device', 'thief', '--cap-stdin'],
    admin,
  )
  const loot = String(stolen.find(({ cap }) => String(cap).startsWith('URI:LOG-Append'))?.cap)
  writeFileSync(appendFile, loot, { mode: 0o600 })
  await mustGrid(thief, ['log', 'append', '--cap-file', appendFile, '-'], tree)
  for (const { addresses } of listening) {
    assert.deepEqual(await tryAll(addresses[0], loot), {
      fork: 'conflict',
      'entry after a gap': 'gap',
      'entry linked elsewhere': 'refused',
    })
  }
  const forked = await grid(home, ['log', 'audit', '--cap-stdin'], admin)
  assert.equal(forked.end.state, 'FORKED')
  saw('a fork, a gap and a wrong link refused by every server, and the fork told: FORKED')
  await mustGrid(home, ['log', 'revoke', 'thief', '--cap-stdin'], admin)

  const right = await audit(home, admin)
  assert.equal(right.state, 'FRESH')

  // three servers lie
  for (const [number, lie] of ['garbage', 'old-head', 'invented-heads'].entries()) {
    await demo.replace(number, liar, [lie])
  }
  assert.deepEqual(await audit(home, admin), right)
  saw('three servers lie: FRESH, with the right heads')

  // four answer garbage, then four are silent
  await demo.replace(3, liar, ['invented-heads'])
  for (const number of [0, 1]) await demo.replace(number, liar, ['invented-heads'])
  const garbled = await audit(home, admin)
  assert.deepEqual(garbled, { state: 'STALE-POSSIBLE', heads: right.heads })
  saw('four servers answer garbage: STALE-POSSIBLE')
  for (const number of nodes.slice(0, 4)) await demo.replace(number, liar, ['silence'])
  const silent = await audit(home, admin)
  assert.deepEqual(silent, { state: 'STALE-POSSIBLE', heads: right.heads })
  saw('four servers are silent: STALE-POSSIBLE')

  // four serve an old head; then they are all there is
  for (const number of nodes.slice(0, 4)) await demo.replace(number, liar, ['old-head'])
  assert.deepEqual((await audit(home, admin)).heads, right.heads)
  saw('four servers serve an old head: the newest verified head of any server is used')
  await demo.kill(nodes.slice(4))
  assert.ok((await evidence(home, admin)).includes('pin'))
  saw('only they are left: TRUNCATED, by the heads that this home has seen')
  assert.deepEqual(await evidence(fresh, admin), ['ack'])
  saw('a home that has seen nothing says TRUNCATED too, by what other devices acknowledge')
  const head = String(right.heads.find((text) => String(text).startsWith('vm:')))
  const told = await grid(fresh, ['log', 'check', '--pin', head, '--cap-stdin'], admin)
  assert.equal(told.end.state, 'TRUNCATED')
  saw('and when it is told a head')

  // the second implementation reads a file from the share folders and the cap
  const folders = [4, 5, 6, 7, 8].map((number) =>
    path.join(demo.homeOf(`node-${number}`), 'storage/shares'),
  )
  const twin = path.join(root, 'test/second/read_file.py')
  const wanted = 'typescript/lib/typescript.js'
  const read = execFileSync('python3', [twin, ...folders, tree, wanted], { maxBuffer: 2 ** 28 })
  assert.ok(read.equals(readFileSync(path.join(files, wanted))))
  saw('the second implementation reads a file from the share folders and the cap alone')
  console.log('all of it was seen')
} finally {
  await demo.close()
  rmSync(directory, { recursive: true, force: true })
}
process.exit(0)
