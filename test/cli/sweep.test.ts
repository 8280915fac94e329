import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { GridError } from '../../src/base/errors.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { Ask } from '../../src/cli/world.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { MovedClock } from '../suites/moved-clock.ts'
import { type FakeWorld, fakeWorld, grid, type Transcript } from './fake-world.ts'

const loopback = '/ip4/127.0.0.1/tcp/0'

describe('grid node sweep', () => {
  let directory: string
  let clock: MovedClock
  let running: { stop: () => Promise<number> }[]

  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-sweep-'))
    clock = new MovedClock()
    running = []
  })

  afterEach(async () => {
    await Promise.all(running.map((node) => node.stop()))
    await fs.rm(directory, { recursive: true })
  })

  function worldWith(ask?: Ask): FakeWorld {
    const world = fakeWorld({
      userDirectory: directory,
      openGrid: ({ home, trace }) => openGrid({ home, trace, clock }),
      ask,
    })
    return { ...world, clock: clock as unknown as FakeWorld['clock'] }
  }

  function run(name: string, words: readonly string[], ask?: Ask): Promise<Transcript> {
    return grid([...words, '--home', path.join(directory, name)], worldWith(ask))
  }

  async function summaryOf(name: string, words: readonly string[]) {
    const { exit, lines } = await run(name, [...words, '--json'])
    const [summary, ...items] = lines().reverse()
    return { exit, summary, items }
  }

  async function start(name: string, words: readonly string[]): Promise<string> {
    const stop = new AbortController()
    const world = { ...worldWith(), signal: stop.signal }
    const ended = dispatch([...words, '--home', path.join(directory, name)], world)
    const address = new Promise<string>((resolve, reject) => {
      world.stdout.onWrite = () => resolve(world.stdout.text.trim())
      void ended.then((exit) => reject(new Error(`ended with ${exit}: ${world.stderr.text}`)))
    })
    running.push({
      stop: () => {
        stop.abort(new GridError('E_INTERRUPTED', 'stopped by SIGTERM'))
        return ended
      },
    })
    return address
  }

  /** A node that keeps a share of each of so many files for a client without an account: for a year. */
  async function nodeWith(fileCount: number): Promise<void> {
    await run('introducer', ['introducer', 'init', '--listen', loopback])
    const address = await start('introducer', ['introducer', 'run'])
    const words = ['--nickname', 'attic', '--introducer', address, '--listen', loopback]
    await run('attic', ['node', 'init', ...words, '--reserve', '1MiB'])
    await start('attic', ['node', 'run'])
    await run('client', ['init', '--introducer', address])
    const files = Array.from({ length: fileCount }, (_, i) => path.join(directory, `file-${i}`))
    for (const [i, file] of files.entries()) await fs.writeFile(file, `${i} `.repeat(100))
    const put = await run('client', ['put', ...files, '--k', '1', '--happy', '1', '--n', '1'])
    assert.equal(put.exit, 0, put.stderr)
  }

  it('lets much go from a running node, once, if the operator agrees', async () => {
    await nodeWith(101)
    const early = await summaryOf('attic', ['node', 'sweep', '--dry-run'])
    assert.deepEqual([early.exit, early.summary.dueShares], [0, 0])
    clock.moveDays(396)
    const look = await summaryOf('attic', ['node', 'sweep', '--dry-run'])
    assert.equal(look.exit, 3)
    assert.equal(look.items[0].name, 'this node')
    // the node has not looked at all its shares yet
    assert.equal(look.items[0].refusal, 'index')
    assert.deepEqual([look.summary.dueShares, look.summary.deletedShares], [101, 0])

    const swept = await run('attic', ['node', 'sweep'])
    assert.equal(swept.exit, 3)
    assert.match(swept.stdout, /101 objects .* are due; more than 100 shares go only if you agree/)
    const status = await run('attic', ['status'])
    assert.match(
      status.stdout,
      /101 shares that nobody holds wait .* try: grid node sweep --consent/,
    )

    assert.equal((await run('attic', ['node', 'sweep', '--consent'])).exit, 2)
    const questions: string[] = []
    const answer =
      (text: string): Ask =>
      async (question) => {
        questions.push(question)
        return text
      }
    assert.equal((await run('attic', ['node', 'sweep', '--consent'], answer('no'))).exit, 2)
    assert.match(questions[0], /^Delete 101 shares, .* for good\?/)
    assert.equal((await summaryOf('attic', ['node', 'status'])).items.length, 1)
    const done = await run('attic', ['node', 'sweep', '--consent'], answer('yes'))
    assert.equal(done.exit, 0, done.stderr)
    assert.match(done.stdout, /101 shares were deleted/)
    const { summary } = await summaryOf('attic', ['node', 'sweep', '--dry-run'])
    assert.deepEqual([summary.dueShares, summary.waitingShares], [0, 0])
    assert.doesNotMatch((await run('attic', ['status'])).stdout, /wait to be deleted/)
  }).timeout(60_000)

  it('sweeps a node that does not run, which nobody may start meanwhile', async () => {
    await nodeWith(2)
    await running.pop()!.stop()
    clock.moveDays(370)
    const waits = await run('attic', ['node', 'sweep'])
    assert.equal(waits.exit, 0, waits.stderr)
    assert.match(waits.stdout, /^this node: nothing is due; 2 objects .* wait in quarantine/)
    clock.moveDays(0.9)
    clock.jumpDays(40)
    const astray = await run('attic', ['node', 'sweep'])
    assert.equal(astray.exit, 3)
    assert.match(astray.stdout, /2 objects .* are due; nothing goes before \d{4}-.* --trust-clock/)
    const done = await run('attic', ['node', 'sweep', '--trust-clock', '--yes', '--json'])
    assert.equal(done.exit, 0, done.stdout)
    assert.equal(done.lines().at(-1)?.deletedShares, 2)
    // the lock is let go
    await start('attic', ['node', 'run'])
  }).timeout(60_000)

  it('says that it keeps nothing, and takes no consent to a dry run', async () => {
    await run('client', [
      'init',
      '--introducer',
      '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5',
    ])
    const none = await run('client', ['node', 'sweep'])
    assert.equal(none.exit, 2)
    assert.match(none.stderr, /this home keeps no shares/)
    assert.equal((await run('client', ['node', 'sweep', '--dry-run', '--consent'])).exit, 2)
    assert.equal((await run('client', ['node', 'sweep', '--yes'])).exit, 2)
  })

  it('sweeps the folders of a grid on one machine', async () => {
    const file = path.join(directory, 'notes')
    await fs.writeFile(file, 'some text '.repeat(100))
    assert.equal((await run('home', ['put', file])).exit, 0)
    const { items, summary } = await summaryOf('home', ['node', 'sweep', '--dry-run'])
    assert.equal(items.length, 10)
    assert.match(items[0].name as string, /folder-\d$/)
    assert.deepEqual([summary.dueShares, summary.waitingShares], [0, 0])
  })

  /** A signed grid of one server, `intro`'s, and a client that was a member for a day. */
  async function formerMember(): Promise<string> {
    const words = ['--membership', 'signed', '--listen', loopback]
    await run('intro', ['introducer', 'init', ...words])
    await start('intro', ['introducer', 'run'])
    const invite = ['invite', '--yes', '--name']
    const link = await run('intro', [...invite, 'attic', '--server'])
    await run('attic', ['join', link.stdout.trim(), '--nickname', 'attic', '--listen', loopback])
    await start('attic', ['up'])
    const guest = await run('intro', [...invite, 'guest', '--client', '--days', '1'])
    const joined = await run('guest', ['join', guest.stdout.trim(), '--nickname', 'guest'])
    assert.equal(joined.exit, 0, joined.stderr)
    const file = path.join(directory, 'file')
    await fs.writeFile(file, 'some text '.repeat(100))
    const put = await run('guest', ['put', file, '--k', '1', '--happy', '1', '--n', '1'])
    assert.equal(put.exit, 0, put.stderr)
    const id = await run('guest', ['node', 'id'])
    return id.stdout.trim()
  }

  it('purges what a former member pays for, 90 days after its end, also after a restart', async () => {
    const guest = await formerMember()
    const early = await run('attic', ['node', 'purge', guest, '--yes'])
    assert.equal(early.exit, 1)
    assert.match(early.stderr, /that membership ends on .* may be ended from \d{4}-\d\d-\d\d on/)
    clock.moveDays(92)
    const look = await summaryOf('attic', ['node', 'purge', guest, '--dry-run'])
    assert.equal(look.exit, 0)
    assert.deepEqual(
      [look.items[0].kind, look.items[0].id, look.items[0].objects],
      ['client', guest, 1],
    )
    assert.equal((look.summary.paid as { objects: number }).objects, 1)
    assert.equal((await run('attic', ['node', 'purge', guest])).exit, 2)
    assert.equal((await run('attic', ['node', 'purge', guest], async () => 'no')).exit, 2)
    // nobody shows that certificate any more
    await running.pop()!.stop()
    const done = await run('attic', ['node', 'purge', guest], async () => 'yes')
    assert.equal(done.exit, 0, done.stderr)
    assert.match(done.stderr, /1 holds were ended; 1 objects .* nobody else holds/)
    const { summary } = await summaryOf('attic', ['node', 'sweep', '--dry-run'])
    assert.equal(summary.waitingShares, 1)
    await start('attic', ['up'])
    const again = await summaryOf('attic', ['node', 'purge', guest, '--yes'])
    assert.deepEqual([again.exit, again.summary.endedHolds], [0, 0])
  }).timeout(60_000)

  it('purges by name where members are made, and nobody of whom it knows nothing', async () => {
    await formerMember()
    const nobody = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
    const unknown = await run('attic', ['node', 'purge', nobody, '--yes'])
    assert.match(unknown.stderr, /has never met that member/)
    const named = await run('attic', ['node', 'purge', 'guest', '--yes'])
    assert.equal(named.exit, 2)
    assert.match(named.stderr, /give the peer id, as grid members shows it/)
    const intro = await run('intro', ['node', 'purge', 'guest', '--yes'])
    assert.match(intro.stderr, /this home keeps no shares/)
    const absent = await run('intro', ['node', 'purge', 'gust', '--yes'])
    assert.match(absent.stderr, /there is no member gust/)
  }).timeout(60_000)
})
