/** The index of holds is lost at every server: it is made again from journals and shares. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type Drill, nodeNumbers } from './drill.ts'

export async function indexLost(drill: Drill): Promise<void> {
  const before = await answers(drill)
  await drill.demo.kill(nodeNumbers)
  let lost = 0
  for (const number of nodeNumbers) {
    const index = path.join(drill.nodeHome(number), 'storage/holds/index')
    if (fs.existsSync(index)) lost++
    fs.rmSync(index, { recursive: true, force: true })
  }
  assert.equal(lost, nodeNumbers.length)
  await drill.demo.start(nodeNumbers)
  assert.deepEqual(await answers(drill), before)
  await drill.restored()
  drill.saw(`${lost} servers without their index give the same answers as before`)
  // once more, with what a torn write has left in its place
  await drill.demo.kill(nodeNumbers)
  for (const number of nodeNumbers) {
    const index = path.join(drill.nodeHome(number), 'storage/holds/index')
    for (const name of fs.readdirSync(index))
      fs.truncateSync(path.join(index, name), Math.floor(fs.statSync(path.join(index, name)).size / 3))
  }
  await drill.demo.start(nodeNumbers)
  assert.deepEqual(await answers(drill), before)
  drill.saw('and so they do where it was torn')
}

/** What a whole check finds, and what each server says of itself. */
async function answers(drill: Drill): Promise<unknown> {
  const { end } = await drill.must(['check', '--log', 'backup', '--verify'])
  const { objects, healthy, leastServers, damaged, hidden } = end
  assert.deepEqual([healthy, leastServers, damaged, hidden], [objects, 10, 0, 0])
  const { lines } = await drill.must(['status'])
  const servers = lines
    .flatMap((line) => {
      const status = line.status as Record<string, unknown> | undefined
      if (status === undefined) return []
      const { shareCount, shareBytes, quarantinedCount, damagedCount } = status
      return { id: line.id, shareCount, shareBytes, quarantinedCount, damagedCount }
    })
    .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
  assert.equal(servers.length, 10)
  return { objects, servers }
}
