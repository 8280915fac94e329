/** The introducer is gone for good: all go on by what they know, and another takes its place. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { ChildNode } from '../../../src/cli/demo/child-node.ts'
import { program } from '../command.ts'
import { type Drill, nodeNumbers } from './drill.ts'

export async function introducerLost(drill: Drill): Promise<void> {
  const { demo } = drill
  process.kill(demo.pidOf(-1)!, 'SIGKILL')
  while (demo.running > nodeNumbers.length) await new Promise((resolve) => setTimeout(resolve, 50))
  await drill.must(['backup', drill.at('files/tree')])
  await drill.restored()
  const { end } = await drill.must(['check', '--log', 'backup'])
  assert.equal(end.healthy, end.objects)
  drill.saw('without an introducer: backups, restores and checks by the list that is kept')

  const home = drill.at('new introducer')
  const listen = ['--listen', '/ip4/127.0.0.1/tcp/0']
  await drill.must(['introducer', 'init', ...listen], 'new introducer')
  const introducer = new ChildNode(program, ['introducer', 'run'], home)
  try {
    const [address] = (await introducer.listening).addresses
    for (const number of nodeNumbers) addIntroducer(drill.nodeHome(number), address)
    addIntroducer(drill.at('home'), address)
    // one after the other, as one does
    for (const number of nodeNumbers) {
      await demo.kill([number])
      await demo.start([number])
    }
    await drill.restored()
    const fresh = await drill.must(['recover', '--introducer', address], 'fresh', drill.kit)
    assert.equal(fresh.end.state, 'FRESH')
    await drill.restored('fresh')
    drill.saw('a new one, named in the configs: all are found by it, by an empty machine too')
  } finally {
    await introducer.stop()
  }
}

/** As a user does, with an editor. */
function addIntroducer(home: string, address: string): void {
  const file = path.join(home, 'config.toml')
  const text = fs.readFileSync(file, 'utf8')
  const changed = text.replace(/^introducers = \[(.*)\]$/m, `introducers = [$1, "${address}"]`)
  assert.notEqual(changed, text)
  fs.writeFileSync(file, changed)
}
