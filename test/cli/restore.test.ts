import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { describe, it } from 'mocha'
import { BackedUp } from './backed-up.ts'

describe('backups from the command line', () => {
  const home = new BackedUp().hooks()

  it('are listed, and restored whole or in part', async () => {
    const first = await home.backUp()
    await home.file('data/c', 'third\n')
    const second = await home.backUp({ label: 'weekly', host: 'cellar' })
    const list = await home.run(['snapshots'])
    assert.equal(list.exit, 0, list.stderr)
    const lines = list.stdout.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.ok(lines[0].startsWith(first))
    assert.ok(lines[1].startsWith(second))
    assert.match(lines[1], /box:2 {2}cellar {2}weekly {2}\[t\] .* 4 files {2}19 B {2}\+5 B$/)
    const whole = await home.run(['restore', 'latest', home.at('out')])
    assert.equal(whole.exit, 0, whole.stderr)
    assert.equal(await home.read('out/data/mail/b'), 'second\n')
    assert.equal(await fs.readlink(home.at('out/data/link')), 'a')
    const part = await home.run(['restore', `${first}:data`, home.at('part')])
    assert.equal(part.exit, 0, part.stderr)
    assert.deepEqual((await fs.readdir(home.at('part'))).sort(), ['a', 'link', 'mail'])
    const one = await home.run(['restore', 'box:1:data/a', home.at('one')])
    assert.equal(one.exit, 0, one.stderr)
    assert.equal(await home.read('one'), 'first\n')
  })
})
