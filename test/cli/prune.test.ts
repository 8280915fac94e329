import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { describe, it } from 'mocha'
import { formatCap } from '../../src/caps/text.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { MovedClock } from '../suites/moved-clock.ts'
import { BackedUp } from './backed-up.ts'
import { type FakeWorld, fakeWorld, grid, type Transcript } from './fake-world.ts'

/** A home whose time a test moves on. */
class AgedBackups extends BackedUp {
  clock = new MovedClock()

  later(words: readonly string[]): Promise<Transcript> {
    const { clock, directory } = this
    const world = fakeWorld({
      userDirectory: directory,
      openGrid: ({ home, trace }) => openGrid({ home, trace, clock }),
    })
    return grid(words, { ...world, clock: clock as unknown as FakeWorld['clock'] })
  }

  /** Four snapshots, a month apart each, the newest of which has passed a test. */
  async months(): Promise<string[]> {
    this.clock = new MovedClock()
    const ids: string[] = []
    for (let i = 1; i <= 4; i++) {
      await this.file('data/a', `${i} `.repeat(2000))
      ids.push(await this.backUp({}, this.clock))
      this.clock.moveDays(31)
    }
    assert.equal((await this.later(['restore-test'])).exit, 0)
    return ids
  }
}

describe('grid prune', () => {
  const home = new AgedBackups().hooks()

  it('says what it would keep and why, drops the rest, and takes it back', async () => {
    const ids = await home.months()
    const policy = ['--keep-last', '2', '--yes']
    const dry = await home.later(['prune', ...policy, '--dry-run'])
    assert.equal(dry.exit, 0, dry.stderr)
    const lines = dry.stdout.trim().split('\n')
    assert.deepEqual(
      lines.map((line) => line.split('  ').slice(0, 2)),
      [
        ['drop', ids[0]],
        ['drop', ids[1]],
        ['keep', ids[2]],
        ['keep', ids[3]],
      ],
    )
    assert.match(lines[3], /since-test, newest, last$/)
    assert.match(dry.stderr, /2 snapshots kept, 2 dropped; \d+ objects, .* would be released/)

    const json = await home.later(['prune', ...policy, '--json'])
    const summary = JSON.parse(json.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>
    assert.equal(json.exit, 0, json.stdout)
    assert.equal(summary.type, 'summary')
    assert.ok((summary.objects as number) > 0)
    assert.equal(summary.releases, 1)
    assert.equal(summary.dropped, 2)

    const again = await home.later(['prune', ...policy, '--json'])
    const rest = JSON.parse(again.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>
    assert.equal(rest.objects, 0)

    const undone = await home.later(['prune', '--undo', '1', '--json'])
    const back = JSON.parse(undone.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>
    assert.equal(undone.exit, 0, undone.stdout)
    assert.equal(back.readopted, summary.objects)
    assert.equal(back.lost, 0)
  })

  it('stops where much would go, unless told to go on', async () => {
    await home.months()
    const { exit, stderr } = await home.later(['prune', '--keep-last', '1'])
    assert.equal(exit, 2)
    assert.match(stderr, /nothing was released/)
    assert.match(stderr, /--yes/)
  })

  it('refuses without a restore test', async () => {
    home.clock = new MovedClock()
    await home.backUp({}, home.clock)
    const { exit, stderr } = await home.later(['prune'])
    assert.equal(exit, 2)
    assert.match(stderr, /no snapshot has passed a restore test/)
    assert.match(stderr, /grid restore-test/)
  })

  it('takes a key that only prunes, and no weaker one', async () => {
    await home.months()
    const made = await home.later([
      'log',
      'grant',
      '--log',
      'backup',
      '--prune',
      '--device',
      'pruner',
    ])
    assert.equal(made.exit, 0, made.stderr)
    assert.match(made.stdout, /^URI:LOG-Prune:/)
    await home.file('prune.cap', made.stdout)
    await fs.chmod(home.at('prune.cap'), 0o600)
    const file = ['--cap-file', home.at('prune.cap')]
    const { exit, stderr } = await home.later(['prune', ...file, '--keep-last', '2', '--yes'])
    assert.equal(exit, 0, stderr)
    const tags = await home.later(['prune', ...file, '--keep-tag', 't'])
    assert.equal(tags.exit, 8)
    await home.file('read.cap', `${formatCap(home.readCap)}\n`)
    const weak = await home.later(['prune', '--cap-file', home.at('read.cap')])
    assert.equal(weak.exit, 8)
    assert.match(weak.stderr, /log grant --prune/)
  })

  it('sweeps the folders of the grid, and so does a backup, once quarantine is over', async () => {
    await home.months()
    const pruned = await home.later(['prune', '--keep-last', '1', '--yes', '--json'])
    assert.equal(pruned.exit, 0, pruned.stdout)
    assert.ok((summaryOf(pruned).objects as number) > 0)
    assert.equal(summaryOf(pruned).deletedShares, 0)
    const told: boolean[] = []
    for (let week = 1; week <= 5; week++) {
      home.clock.moveDays(6.5)
      const { exit, stderr } = await home.later(['backup', home.at('data')])
      assert.equal(exit, 0, stderr)
      told.push(/\d+ shares that nobody held were deleted/.test(stderr))
    }
    assert.deepEqual(told, [false, false, false, false, true])
    const rest = await home.later(['node', 'sweep', '--dry-run', '--json'])
    assert.equal(rest.lines().at(-1)?.dueShares, 0)
    const again = await home.later(['prune', '--keep-last', '1', '--yes', '--json'])
    assert.equal(summaryOf(again).deletedShares, 0)
    assert.equal((await home.later(['restore-test'])).exit, 0)
  })

  it('sweeps at a prune what is due by then, and says what waits for the clock', async () => {
    await home.months()
    const words = ['prune', '--keep-last', '1', '--yes', '--json']
    const deleted: unknown[] = []
    for (const days of [0, 7, 7, 7, 7, 6]) {
      home.clock.moveDays(days)
      deleted.push(summaryOf(await home.later(words)).deletedShares)
    }
    assert.ok((deleted.pop() as number) > 0)
    assert.deepEqual(deleted, [0, 0, 0, 0, 0])
    // a clock of which nothing was seen for long is not believed
    await home.file('data/more', 'more '.repeat(2000))
    await home.backUp({}, home.clock)
    assert.equal((await home.later(['restore-test'])).exit, 0)
    assert.ok((summaryOf(await home.later(words)).objects as number) > 0)
    home.clock.moveDays(40)
    const { exit, stderr } = await home.later(words.slice(0, -1))
    assert.equal(exit, 0, stderr)
    assert.match(stderr, /\d+ shares wait for the clock to be trusted: grid node sweep/)
  })
})

function summaryOf({ lines }: Transcript): Record<string, unknown> {
  return lines().at(-1) ?? {}
}
