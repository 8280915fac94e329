/** The machine that made the backups is gone. There is the paper, and an empty machine. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { readKit } from '../../../src/backup/keys/recovery-kit.ts'
import { formatCap } from '../../../src/caps/text.ts'
import type { Drill } from './drill.ts'

const mostCommands = 10

export async function clientLost(drill: Drill): Promise<void> {
  fs.renameSync(drill.at('home'), drill.at('lost'))
  const commands = await drill.counted(async () => {
    const { end } = await drill.must(['recover'], 'found', drill.kit)
    assert.deepEqual([end.snapshots, end.state], [1, 'FRESH'])
    await drill.restored('found')
  })
  assert.ok(commands <= mostCommands)
  drill.saw(`all of it back from the kit, on an empty machine, by ${commands} commands`)
  const cap = formatCap(readKit(drill.kit).cap)
  await drill.must(['recover', '--introducer', drill.introducer], 'found by cap', cap)
  await drill.restored('found by cap')
  drill.saw('and from the cap alone, where one introducer is known')
  fs.renameSync(drill.at('lost'), drill.at('home'))
}
