/** What version 0.1.0 left on a disk is opened by every later version. The files are never made again. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { dispatch } from '../../src/cli/dispatch.ts'
import { fakeWorld } from '../cli/fake-world.ts'

const golden = path.resolve(import.meta.dirname, '../../../test/golden/v1')

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

describe('golden directory of format 1', function () {
  this.timeout(60_000)
  let work: string

  beforeEach(() => {
    work = fs.mkdtempSync(path.join(tmpdir(), 'grid-golden-'))
    fs.cpSync(golden, work, { recursive: true, verbatimSymlinks: true })
  })

  afterEach(() => fs.rmSync(work, { recursive: true }))

  async function run(words: readonly string[], stdin = ''): Promise<string> {
    const world = fakeWorld({ userDirectory: work, stdin: pieces(stdin) })
    const exit = await dispatch([...words, '--home', path.join(work, 'found')], world)
    assert.equal(exit, 0, world.stderr.text)
    return world.stdout.text
  }

  it('gives back every snapshot from its kit and its disk', async () => {
    const kit = fs.readFileSync(path.join(work, 'kit.txt'), 'utf8')
    await run(['recover', '--disks', path.join(work, 'disk')], kit)
    assert.equal(
      (await run(['snapshots', '--json'])).split('\n').filter((line) => /"type":"item"/.test(line))
        .length,
      2,
    )
    await run(['restore', 'latest:tree', path.join(work, 'new')])
    execFileSync('diff', [
      '-r',
      '--no-dereference',
      path.join(work, 'tree'),
      path.join(work, 'new'),
    ])
    await run(['restore', 'box:1:tree', path.join(work, 'old')])
    assert.equal(fs.readFileSync(path.join(work, 'old/small'), 'utf8'), 'golden\n')
  })

  it('is opened as the home that it was', async () => {
    const home = path.join(work, 'home')
    fs.chmodSync(path.join(home, 'private'), 0o700)
    for (const name of fs.readdirSync(path.join(home, 'private'), {
      recursive: true,
      encoding: 'utf8',
    })) {
      const at = path.join(home, 'private', name)
      fs.chmodSync(at, fs.statSync(at).isDirectory() ? 0o700 : 0o600)
    }
    const config = path.join(home, 'config.toml')
    const text = fs.readFileSync(config, 'utf8')
    fs.writeFileSync(
      config,
      text.replace(/^disks = .*$/m, `disks = ["${path.join(work, 'disk')}"]`),
    )
    const fresh = path.join(work, 'found')
    fs.renameSync(home, fresh)
    assert.match(await run(['snapshots', '--json']), /"type":"item"/)
    await run(['restore', 'latest:tree', path.join(work, 'new')])
    assert.equal(fs.readFileSync(path.join(work, 'new/small'), 'utf8'), 'golden\nand more\n')
  })

  it('is checked to the last byte', async () => {
    const kit = fs.readFileSync(path.join(work, 'kit.txt'), 'utf8')
    await run(['recover', '--disks', path.join(work, 'disk')], kit)
    assert.match(
      await run(['check', '--log', 'backup', '--verify', '--json']),
      /"damaged":0,"hidden":0/,
    )
  })
})
