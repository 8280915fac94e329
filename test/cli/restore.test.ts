import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { describe, it } from 'mocha'
import { formatCap } from '../../src/caps/text.ts'
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
    const whole = await home.run(['restore', 'latest', home.at('out'), '--verify'])
    assert.equal(whole.exit, 0, whole.stderr)
    assert.match(whole.stderr, /restored 4 files, 19 B, 2 directories, compared 4 files, 0 of them/)
    assert.equal(await home.read('out/data/mail/b'), 'second\n')
    assert.equal(await fs.readlink(home.at('out/data/link')), 'a')
    const part = await home.run(['restore', `${first}:data`, home.at('part')])
    assert.equal(part.exit, 0, part.stderr)
    assert.deepEqual((await fs.readdir(home.at('part'))).sort(), ['a', 'link', 'mail'])
    const one = await home.run(['restore', 'box:1:data/a', home.at('one'), '--verify'])
    assert.equal(one.exit, 0, one.stderr)
    assert.equal(await home.read('one'), 'first\n')
  })

  it('are found by host, tag, name and number, and by a label that is theirs', async () => {
    await home.backUp({ host: 'attic', label: 'daily' })
    await home.backUp({ host: 'cellar', label: 'weekly' })
    const count = async (...words: string[]): Promise<number> =>
      (await home.run(['snapshots', '--json', ...words])).lines().length - 1
    assert.equal(await count('--host', 'attic'), 1)
    assert.equal(await count('--host', 'attic', '--host', 'cellar'), 2)
    assert.equal(await count('--tag', 't'), 2)
    assert.equal(await count('--tag', 't', '--tag', 'u'), 0)
    assert.equal(await count('--name', 'weekly'), 1)
    assert.equal(await count('--latest', '1'), 1)
    for (const name of ['daily', 'box:1', 'latest']) {
      const { exit, stderr, lines } = await home.run([
        ...['restore', name, home.at(name), '--host', 'attic', '--dry-run', '--json'],
      ])
      assert.equal(exit, 0, stderr)
      assert.equal(lines().at(-1)?.files, 3)
    }
    const none = await home.run(['restore', 'monthly', home.at('none')])
    assert.equal(none.exit, 2)
    assert.match(none.stderr, /no snapshot is called so\ntry: .*grid snapshots/)
    await assert.rejects(fs.stat(home.at('daily')))
  })

  it('are looked into by the commands for trees', async () => {
    const id = await home.backUp()
    assert.equal((await home.run(['ls', 'latest:data'])).stdout, 'a\nlink\nmail\n')
    assert.equal((await home.run(['cat', `${id}:data/mail/b`])).stdout, 'second\n')
    assert.match((await home.run(['du', 'daily:'])).stdout, /13 B {2}3 files {2}2 directories/)
    assert.equal(
      (await home.run(['find', 'latest:', '--name', 'b'])).stdout,
      'latest:data/mail/b\n',
    )
    const copy = await home.run(['cp', '-r', 'latest:data/mail', home.at('copied')])
    assert.equal(copy.exit, 0, copy.stderr)
    assert.equal(await home.read('copied/b'), 'second\n')
    const write = await home.run(['mkdir', 'latest:data/new'])
    assert.equal(write.exit, 8)
  })

  it('are compared with each other', async () => {
    const first = await home.backUp()
    await home.file('data/a', 'changed\n')
    await home.file('data/new/x', 'x')
    await fs.rm(home.at('data/mail/b'))
    await fs.chmod(home.at('data/mail'), 0o700)
    await home.backUp()
    const { exit, stdout, stderr } = await home.run(['diff', first, 'latest'])
    assert.equal(exit, 0, stderr)
    const lines = stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('U data/link')),
      ['U data/', 'M data/a', 'U data/mail/', '- data/mail/b', '+ data/new/', '+ data/new/x'],
    )
    const part = await home.run(['diff', first, 'latest', 'data/mail', '--json'])
    const [item, summary] = part.lines()
    assert.deepEqual([item?.change, item?.path], ['removed', 'b'])
    assert.equal(summary?.removed, 1)
  })

  it('are tested, and the test is recorded by whoever may', async () => {
    const id = await home.backUp()
    const { exit, stderr, lines } = await home.run(['restore-test', '--sample', '100%', '--json'])
    assert.equal(exit, 0, stderr)
    const summary = lines().at(-1)
    assert.equal(summary?.recorded, true)
    assert.equal(summary?.snapshot, id)
    assert.equal(summary?.files, 2)
    assert.equal(summary?.directories, 2)
    const reading = home.at('read.cap')
    await fs.writeFile(reading, formatCap(home.readCap))
    const other = await home.run(['restore-test', '--read-cap-file', reading])
    assert.equal(other.exit, 3)
    assert.match(other.stderr, /not recorded in the log/)
  })

  it('that are damaged or gone are said to be', async () => {
    await home.file('data/large', new Uint8Array(3 * 2 ** 20).fill(7))
    await home.backUp()
    await home.loseShares()
    const test = await home.run(['restore-test', '--sample', '100%'])
    assert.equal(test.exit, 4)
    assert.match(test.stderr, /\d+ could not be read/)
    const restore = await home.run(['restore', 'latest', home.at('out')])
    assert.equal(restore.exit, 3, restore.stderr)
    assert.match(restore.stderr, /content could not be had/)
  })

  it('are refused where the cap does not open them, or the name means two', async () => {
    await home.backUp()
    const ambiguous = await home.run(['restore', 'box:9', home.at('out')])
    assert.equal(ambiguous.exit, 2)
    const missing = await home.run(['restore', 'latest:data/nothing', home.at('out')])
    assert.equal(missing.exit, 1)
    assert.match(missing.stderr, /data\/nothing: not in the snapshot/)
    const log = await home.run(['snapshots', '--log', 'other'])
    assert.equal(log.exit, 2)
  })
})
