/**
 * Backup and recovery as a user meets them, on ten node processes: `npm run trial:backup`. A real tree
 * of this machine (another with `--tree DIR`) is backed up twice by a home that may only add; the home
 * and seven nodes are lost; everything comes back from the printed kit alone.
 */
import '../../src/base/shim.ts'
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { readKit } from '../../src/backup/keys/recovery-kit.ts'
import { formatByteSize } from '../../src/base/byte-size.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { DemoGrid } from '../../src/cli/demo/demo-grid.ts'
import { copyTree } from './busy-tree.ts'
import { grid, mustGrid, printedBy, program, type Ran } from './command.ts'
import { secretsIn } from './secrets-in.ts'
import { differences, listTree } from './tree-listing.ts'

const nodes = Array.from({ length: 10 }, (_, i) => i)
const lostNodes = nodes.slice(3)
const usualTrees = ['/usr/share/man', '/usr/share/doc']
const { values } = parseArgs({ options: { tree: { type: 'string' } } })

function saw(fact: string): void {
  console.log(`  saw: ${fact}`)
}

const directory = fs.mkdtempSync(path.join(tmpdir(), 'grid-trial-'))
const at = (...names: string[]): string => path.join(directory, ...names)

/** Whoever is not root can give no file to another, so he backs up a copy that is his. */
function chooseTree(): string {
  const given = values.tree ?? usualTrees.find((tree) => fs.existsSync(tree)) ?? usualTrees[0]
  const real = fs.realpathSync(given)
  if (process.getuid?.() === 0) return real
  copyTree(real, at(path.basename(real)))
  return at(path.basename(real))
}

/** What a whole run ends with. */
function countsOf({ end, seconds }: Ran): { unread: boolean; text: string } {
  const files = end.files as { new: number; changed: number; unchanged: number }
  const { readBytes, addedBytes, sentBytes } = end as Record<string, number>
  return {
    unread: files.new + files.changed + readBytes + addedBytes + sentBytes === 0,
    text: `${files.new} new files, ${files.unchanged} unchanged, ${formatByteSize(readBytes)} read, ${formatByteSize(sentBytes)} sent, ${seconds.toFixed(1)} s`,
  }
}

/** What a home that may only add is refused, though its append cap is at hand. */
async function tryToRead(home: string, append: string): Promise<void> {
  fs.writeFileSync(at('append.cap'), append, { mode: 0o600 })
  for (const words of [
    ['snapshots'],
    ['restore', 'latest', at('stolen')],
    ['ls', 'latest:'],
    ['snapshots', '--read-cap-file', at('append.cap')],
    ['log', 'read', '--cap-file', at('append.cap')],
    ['log', 'audit', '--cap-file', at('append.cap')],
    ['log', 'grant', '--device', 'thief', '--cap-file', at('append.cap')],
    ['log', 'revoke', 'box', '--cap-file', at('append.cap')],
    ['cap', 'attenuate', '--to', 'LOG-Verify', '--cap-file', at('append.cap')],
  ]) {
    const { exit, end } = await grid(home, words)
    assert.equal(exit, 8, `${words.join(' ')}: ${JSON.stringify(end)}`)
  }
}

const demo = await DemoGrid.open(program)
try {
  const startMs = performance.now()
  const tree = chooseTree()
  const name = path.basename(tree)
  await demo.start(nodes)
  await (await demo.openClient('any')).close()
  const config = fs.readFileSync(path.join(demo.homeOf('any'), 'config.toml'), 'utf8')
  const [, introducer = ''] = /^introducers = \["([^"]+)"\]/m.exec(config) ?? []

  const init = ['backup', 'init', '--introducer', introducer, '--device', 'box']
  const kit = await printedBy(at('home'), init)
  const { cap: admin } = readKit(kit)
  assert.ok(admin.type === 'LOG-Admin')
  saw('a home made by one command, and the kit printed')

  const first = await mustGrid(at('home'), ['backup', tree])
  assert.equal(first.end.partial, false)
  saw(`${tree} backed up: ${countsOf(first).text}`)
  const second = await mustGrid(at('home'), ['backup', tree])
  assert.ok(countsOf(second).unread, JSON.stringify(second.end))
  assert.ok(second.seconds < first.seconds)
  saw(`and again: ${countsOf(second).text}`)

  const read = attenuate(admin, 'LOG-Read')
  const verify = attenuate(admin, 'LOG-Verify')
  const secrets = [admin.adminSeed, read.readSeed, verify.verifySeed]
  assert.deepEqual(secretsIn(at('home'), secrets), [])
  const append = fs.readFileSync(at('home/private/backups/backup'), 'utf8').trim()
  assert.match(append, /^URI:LOG-Append:\S+$/)
  await tryToRead(at('home'), append)
  saw('no file of the home holds a cap that reads or rules, and each try is refused with exit 8')

  const wanted = await listTree(tree)
  fs.rmSync(at('home'), { recursive: true })
  assert.equal(await demo.kill(lostNodes), lostNodes.length)
  for (const number of lostNodes)
    fs.rmSync(path.join(demo.homeOf(`node-${number}`), 'storage'), { recursive: true })
  saw('the home and the stores of seven nodes deleted')

  const recovered = await mustGrid(at('new home'), ['recover'], kit)
  assert.equal(recovered.end.snapshots, 2)
  const next = String(recovered.lines.find((line) => line.next !== undefined)?.next)
  assert.equal(next, `grid restore latest:${name} DEST`)
  saw(`two snapshots found from the kit alone; the log says ${String(recovered.end.state)}`)
  const restored = await mustGrid(at('new home'), ['restore', `latest:${name}`, at('back')])
  assert.equal(restored.end.notices, 0)
  const found = await listTree(at('back'))
  assert.deepEqual(differences(found, wanted), [])
  saw(`${found.length} names restored in ${restored.seconds.toFixed(1)} s, each as it was:`)
  saw('  content, mode, owner, time to the nanosecond, links, hard links, extended attributes')
  const part = fs.readdirSync(tree, { withFileTypes: true }).find((entry) => entry.isDirectory())
  assert.ok(part !== undefined, `${tree} has no directory`)
  await mustGrid(at('new home'), ['restore', `box:1:${name}/${part.name}`, at('older')])
  assert.deepEqual(
    differences(await listTree(at('older')), await listTree(path.join(tree, part.name))),
    [],
  )
  saw(`and ${part.name} from the first snapshot`)
  console.log(`all of it was seen, in ${Math.round((performance.now() - startMs) / 1000)} s`)
} finally {
  await demo.close()
  fs.rmSync(directory, { recursive: true, force: true })
}
