/**
 * Kills backups and restores with SIGKILL, a process each, at points spread over their run, and
 * runs them again: `npm run trial:kills -- --kills 200 --seed 1`. Ends with 1 at the first thing lost.
 */
import '../../src/base/shim.ts'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { formatByteSize } from '../../src/base/byte-size.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { makeBusyTree } from './busy-tree.ts'
import { KillSession, noTally, type Undisturbed } from './kill-session.ts'

/** Homes in use at the same time. */
const together = 2
const killsOfSession = 16
const backupPart = 0.6

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now()) },
  },
})
const kills = Number(values.kills)
if (!Number.isInteger(kills) || kills < 2) throw new RangeError('--kills: a number from 2')
console.log(`seed ${values.seed}`)
const random = new SimRandom(values.seed)
const tally = noTally()

const directory = mkdtempSync(path.join(tmpdir(), 'grid-trial-'))
const at = (name: string): string => path.join(directory, name)

/** Kills of each session: of backups, of restores. */
function shares(): [number, number][] {
  const sessions = Math.max(1, Math.round(kills / killsOfSession))
  const backups = Math.ceil(kills * backupPart)
  const part = (all: number, i: number): number =>
    Math.floor((all * (i + 1)) / sessions) - Math.floor((all * i) / sessions)
  return Array.from({ length: sessions }, (_, i) => [part(backups, i), part(kills - backups, i)])
}

async function runSession(
  name: string,
  [backups, restores]: [number, number],
  undisturbed: Undisturbed,
): Promise<void> {
  const options = { random: random.fork(name), tally }
  const session = await KillSession.open(at(name), at('template'), options)
  await session.killBackups(Math.max(1, backups), undisturbed)
  await session.killRestores(restores, undisturbed)
  rmSync(at(name), { recursive: true })
  console.log(`  ${tally.backups} backups and ${tally.restores} restores killed so far`)
}

try {
  const startMs = performance.now()
  const packages = path.resolve(import.meta.dirname, '../../../node_modules')
  makeBusyTree(at('template'), packages, random.fork('tree'))
  const options = { random: random.fork('measured'), tally: noTally() }
  const measured = await KillSession.open(at('measured'), at('template'), options)
  const undisturbed = await measured.measure()
  rmSync(at('measured'), { recursive: true })
  const { firstBytes, ...times } = undisturbed
  const inWords = Object.entries(times).map(([kind, ms]) => `${kind} ${Math.round(ms)} ms`)
  console.log(`left alone: ${inWords.join(', ')}; ${formatByteSize(firstBytes)} of shares`)

  const waiting = [...shares().entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await runSession(`session-${next[0]}`, next[1], undisturbed)
  }
  await Promise.all(Array.from({ length: together }, work))

  const { backups, restores, nothingStored, partStored, appended, tooLate } = tally
  console.log(`${backups} kills of backups: before anything was stored ${nothingStored}`)
  console.log(
    `  with something stored ${partStored}, and of those with a snapshot in the log ${appended}`,
  )
  console.log(`${restores} kills of restores; ${tooLate} processes had ended before`)
  const { storedBytes, twiceBytes, mostTwiceBytes, wholeFiles, rewrittenFiles } = tally
  const size = formatByteSize
  console.log(
    `of first backups, ${size(storedBytes)} were stored at the kill, ${size(twiceBytes)} of that came twice; at most ${size(mostTwiceBytes)} of one`,
  )
  console.log(`of ${wholeFiles} files restored before a kill, ${rewrittenFiles} were written again`)
  assert.equal(rewrittenFiles, 0)
  console.log(`${tally.snapshotsRead} snapshots read back, each equal to its tree`)
  console.log(`all of it was seen, in ${Math.round((performance.now() - startMs) / 1000)} s`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
