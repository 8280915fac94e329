/** The introducer is gone for 30 days: all go on by what they know. Then another takes its place. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { ChildNode } from '../../../src/cli/demo/child-node.ts'
import { program, type Ran } from '../command.ts'
import { type Drill, nodeNumbers } from './drill.ts'
import { SmallFiles } from './small-files.ts'

/** Half of the nodes announce themselves so much later that not all are forgotten at once. */
const later = nodeNumbers.slice(5)
const laterDay = 0.5
/** The first half's announcements have expired, which hold for a day, and the others have not. */
const halfDay = 1.2
/** No announcement is believed for so long. */
const oldDay = 9
const lastDay = 30

export async function introducerLost(drill: Drill): Promise<void> {
  const { NODE_OPTIONS: before } = process.env
  process.env.NODE_OPTIONS = `--import ${path.join(import.meta.dirname, '../later.js')}`
  try {
    await inShiftedTime(drill)
  } finally {
    delete process.env.TRIAL_DAYS
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
  }
}

/** The day of every process that is started from now on. */
function today(day: number): void {
  process.env.TRIAL_DAYS = String(day)
}

async function inShiftedTime(drill: Drill): Promise<void> {
  const { demo } = drill
  today(laterDay)
  await restart(drill, later)
  for (const home of ['home', drill.nodeHome(0)]) {
    const well = await drill.run(['status'], home)
    assert.deepEqual([well.exit, well.end.accepting], [0, 10], JSON.stringify(well.end))
  }
  process.kill(demo.pidOf(-1)!, 'SIGKILL')
  while (demo.running > nodeNumbers.length) await new Promise((resolve) => setTimeout(resolve, 50))

  const files = new SmallFiles(drill.at('days'))
  const sinceMs = Date.now() + laterDay * dayMs
  for (const [day, numbers] of [
    [halfDay, [0, 9]],
    [oldDay, [1, 5]],
    [lastDay, nodeNumbers],
  ] as const) {
    today(day)
    await restart(drill, numbers)
    // a client of its own, and one over what the node of its home lends
    for (const home of ['home', drill.nodeHome(0)]) {
      const run = (words: readonly string[], input = ''): Promise<Ran> =>
        drill.must(words, home, input)
      await files.put(run)
      await files.get(run)
    }
    await goesOn(drill)
    lossIsNamed(await drill.run(['status']), sinceMs)
  }
  lossIsNamed(await drill.run(['status'], drill.nodeHome(0)), sinceMs)
  await drill.restored()
  drill.saw(`${lastDay} days without an introducer, nodes and clients started anew in between:`)
  drill.saw('puts, gets, backups and checks go on by the list that is kept; status says what to do')
  await anotherComes(drill, files)
}

const dayMs = 24 * 3_600_000

/** A new file is backed up too, so that something is stored; all of it must be whole. */
async function goesOn(drill: Drill): Promise<void> {
  await drill.must(['backup', drill.at('files/tree')])
  const { end } = await drill.must(['check', '--log', 'backup'])
  assert.deepEqual([end.healthy, end.hidden], [end.objects, 0], JSON.stringify(end))
}

/** What `status` says of the introducer, and of the grid: since when, and what to do. */
function lossIsNamed({ exit, lines, end }: Ran, sinceMs: number): void {
  assert.equal(exit, 3, JSON.stringify(end))
  assert.deepEqual([end.answering, end.accepting], [10, 10])
  const item = lines.find(({ about }) => about === 'introducer') ?? {}
  assert.equal(item.state, 'degraded', JSON.stringify(lines))
  for (const { since, next } of [item, end]) {
    assert.match(String(next), /grid introducer init/)
    assert.ok(Date.parse(String(since)) > sinceMs - dayMs)
  }
  assert.match(String(end.cause), /no introducer answers/)
}

async function anotherComes(drill: Drill, files: SmallFiles): Promise<void> {
  const home = drill.at('new introducer')
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0']
  await drill.must(['introducer', 'init', ...listen], 'new introducer')
  const introducer = new ChildNode(program, ['introducer', 'run'], home)
  try {
    const [address] = (await introducer.listening).addresses
    assert.notEqual(address.split('/p2p/')[1], drill.introducer.split('/p2p/')[1])
    const homes = [...nodeNumbers.map((number) => drill.nodeHome(number)), drill.at('home')]
    for (const each of homes) setIntroducers(each, [drill.introducer, address])
    // a few at a time, as one does, and clients work meanwhile
    for (let i = 0; i < nodeNumbers.length; i += 2) {
      await restart(drill, nodeNumbers.slice(i, i + 2))
      if (i === 4) await files.put((words, input) => drill.must(words, 'home', input))
    }
    const half = await drill.run(['status'])
    assert.deepEqual([half.exit, half.end.answering], [3, 10], JSON.stringify(half.end))
    assert.match(String(half.end.cause), /1 of 2 introducers/)
    setIntroducers(drill.at('home'), [address])
    const well = await drill.run(['status'])
    assert.deepEqual([well.exit, well.end.accepting], [0, 10], JSON.stringify(well.end))
    await files.mustGetAll((words, input) => drill.must(words, 'home', input))
    const fresh = await drill.must(['recover', '--introducer', address], 'fresh', drill.kit)
    assert.equal(fresh.end.state, 'FRESH')
    await drill.restored('fresh')
    drill.saw('a new one, named in the configs: all are found by it, by an empty machine too')
  } finally {
    await introducer.stop()
  }
}

async function restart(drill: Drill, numbers: readonly number[]): Promise<void> {
  await drill.demo.kill(numbers)
  await drill.demo.start(numbers)
}

/** As a user does, with an editor. */
function setIntroducers(home: string, addresses: readonly string[]): void {
  const file = path.join(home, 'config.toml')
  const text = fs.readFileSync(file, 'utf8')
  const line = `introducers = ${JSON.stringify(addresses)}`
  const changed = text.replace(/^introducers = \[.*\]$/m, line)
  assert.notEqual(changed, text)
  fs.writeFileSync(file, changed)
}
