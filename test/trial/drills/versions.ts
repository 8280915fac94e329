/** Nodes are upgraded to a second version, set back and upgraded again, while clients of both work with the grid. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { formatNumber, version } from '../../../src/base/version.ts'
import { grid, mustGrid, program } from '../command.ts'
import { type Drill, nodeNumbers } from './drill.ts'
import { Load } from './load.ts'
import { bundleNextVersion, nextFormat, nextVersion } from './next-version.ts'

/** Two at a time leave as many as a put needs. */
const pairs: readonly number[][] = [0, 2, 4, 6, 8].map((first) =>
  nodeNumbers.slice(first, first + 2),
)
/** Those that are upgraded again: the grid stays a mixed one. */
const again = pairs.slice(0, 3)

export async function versions(drill: Drill): Promise<void> {
  const later = bundleNextVersion(drill.at('later'))
  const load = await Load.start(drill, [program, later])
  try {
    for (const [i, pair] of pairs.entries()) {
      await upgrade(drill, pair, later)
      if (i === 1) assert.deepEqual(await softwareOf(drill), { [version]: 6, [nextVersion]: 4 })
    }
    assert.deepEqual(await softwareOf(drill), { [nextVersion]: 10 })
    drill.saw(
      `ten nodes go from ${version} to ${nextVersion}, a few at a time, and raise their format`,
    )
    for (const pair of pairs) {
      await drill.stop(pair)
      await refused(drill, pair[0])
      await setBack(drill, pair, later)
    }
    assert.deepEqual(await softwareOf(drill), { [version]: 10 })
    drill.saw(
      `${version} refuses what is of format ${nextFormat} and touches nothing; set back by ${nextVersion}, it runs`,
    )
    for (const pair of again) await upgrade(drill, pair, later)
  } catch (error) {
    await load.stop().catch(() => undefined)
    throw error
  }
  const { puts, backups, failures } = await load.stop()
  assert.ok(puts >= 5 && backups >= 3, `${puts} puts, ${backups} backups`)
  await drill.must(['repair', '--log', 'backup'])
  await load.expectAll()
  drill.saw(
    `upgraded again: the ${puts} puts and ${backups} backups that were acknowledged meanwhile are read, each byte`,
  )
  drill.saw(`${failures.length} commands failed, and said why: ${failures.join(', ') || '-'}`)
  // for the drills to come
  await drill.stop(again.flat())
  await setBack(drill, again.flat(), later)
  await drill.restored()
}

/** Stops nodes, and starts them as the version `later`. */
async function upgrade(drill: Drill, numbers: readonly number[], later: string): Promise<void> {
  await drill.stop(numbers)
  await Promise.all(numbers.map((number) => drill.demo.replace(number, later, ['node', 'run'])))
  for (const number of numbers) assert.deepEqual(formatsOf(drill, number), [nextFormat, nextFormat])
}

/** The version before does not run in that home, says what to do, and leaves every byte as it is. */
async function refused(drill: Drill, number: number): Promise<void> {
  const home = drill.nodeHome(number)
  const before = contentOf(home)
  const { exit, end } = await grid(home, ['node', 'run'])
  assert.deepEqual([exit, end.code], [1, 'E_VERSION'], JSON.stringify(end))
  assert.match(String(end.hint), /upgrade.*grid node downgrade/i)
  assert.deepEqual(contentOf(home), before)
}

/** Starts nodes that are stopped as the version before, which the later one has to make possible. */
async function setBack(drill: Drill, numbers: readonly number[], later: string): Promise<void> {
  await Promise.all(
    numbers.map((number) => mustGrid(drill.nodeHome(number), ['node', 'downgrade'], '', later)),
  )
  for (const number of numbers)
    assert.deepEqual(formatsOf(drill, number), [formatNumber, formatNumber])
  await drill.demo.start(numbers)
}

/** What the marks of its home and of its store say. */
function formatsOf(drill: Drill, number: number): number[] {
  const home = drill.nodeHome(number)
  return [home, path.join(home, 'storage')].map((folder) =>
    Number(fs.readFileSync(path.join(folder, 'format'), 'utf8')),
  )
}

/** How many nodes run which version, by what they answer. */
async function softwareOf(drill: Drill): Promise<Record<string, number>> {
  const { lines } = await drill.run(['status'], 'loader')
  const counts: Record<string, number> = {}
  for (const { status } of lines) {
    const { software } = (status ?? {}) as { software?: string }
    if (software !== undefined) counts[software] = (counts[software] ?? 0) + 1
  }
  return counts
}

/** Every file below, but sockets and locks, by its bytes. */
function contentOf(home: string): Record<string, string> {
  const content: Record<string, string> = {}
  for (const entry of fs.readdirSync(home, { recursive: true, withFileTypes: true })) {
    const at = path.join(entry.parentPath, entry.name)
    if (entry.isFile() && !/\.(lock|sock)$/.test(entry.name) && !at.includes('/index/'))
      content[path.relative(home, at)] = fs.readFileSync(at).toString('base64')
  }
  return content
}
