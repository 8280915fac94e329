/** Seven of ten servers lose all that they kept, and come back empty, under their old names. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import type { Drill } from './drill.ts'

const wiped = [0, 1, 2, 3, 4, 5, 6]
const left = [7, 8, 9]

export async function serversWiped(drill: Drill): Promise<void> {
  const killed = await drill.demo.kill(wiped)
  assert.equal(killed, wiped.length)
  for (const number of wiped)
    fs.rmSync(path.join(drill.nodeHome(number), 'storage'), { recursive: true })
  await drill.demo.start(wiped)
  await drill.restored()
  drill.saw('seven of ten servers empty, and everything is still read')
  const found = await drill.run(['check', '--log', 'backup'])
  assert.equal(found.exit, 7, JSON.stringify(found.end))
  drill.saw('a check tells of the damage, with exit 7')
  const { end } = await drill.must(['repair', '--log', 'backup'])
  assert.equal(end.mendedObjects, found.end.objects)
  const whole = await drill.must(['check', '--log', 'backup', '--verify'])
  assert.deepEqual(
    [whole.end.healthy, whole.end.leastServers, whole.end.hidden],
    [whole.end.objects, 10, 0],
  )
  drill.saw('a repair makes ten shares of each again, and each byte of them is verified')
  await drill.demo.kill(left)
  await drill.restored()
  await drill.demo.start(left)
  drill.saw('and everything is read from the seven alone')
}
