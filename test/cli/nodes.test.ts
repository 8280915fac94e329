import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { World } from '../../src/cli/world.ts'
import { fakeWorld } from './fake-world.ts'

const loopback = '/ip4/127.0.0.1/tcp/0'

let directory: string
let running: Running[]

interface Running {
  addresses: string[]
  stop: () => Promise<number>
}

/** Runs a line to its end, as the user whose home is `name`. */
async function run(name: string, words: readonly string[]) {
  const world = { ...fakeWorld(), clock: new SystemClock() }
  const exit = await dispatch([...words, '--home', path.join(directory, name)], world)
  return { exit, stdout: world.stdout.text, stderr: world.stderr.text }
}

/** Starts a line that runs until it is stopped; resolves once it listens. */
async function start(name: string, words: readonly string[]): Promise<Running> {
  const stop = new AbortController()
  const fake = fakeWorld()
  const world: World = { ...fake, clock: new SystemClock(), signal: stop.signal }
  const ended = dispatch([...words, '--home', path.join(directory, name)], world)
  const addresses = await new Promise<string[]>((resolve, reject) => {
    fake.stdout.onWrite = () => resolve(fake.stdout.text.trim().split('\n'))
    void ended.then((exit) => reject(new Error(`ended with ${exit}: ${fake.stderr.text}`)))
  })
  const node = {
    addresses,
    stop: () => {
      stop.abort(new GridError('E_INTERRUPTED', 'stopped by SIGTERM'))
      return ended
    },
  }
  running.push(node)
  return node
}

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** How many servers the running node of a home knows. */
async function knownTo(name: string): Promise<number> {
  const { stderr } = await run(name, ['status'])
  return Number(/ of (\d+) servers? answer/.exec(stderr)?.[1] ?? 0)
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('nodes from the command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-nodes-'))
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map((node) => node.stop()))
    await fs.rm(directory, { recursive: true })
  })

  it('empties a node, which others learn at once, and says when it may go', async () => {
    await run('introducer', ['introducer', 'init', '--listen', loopback])
    const [address = ''] = (await start('introducer', ['introducer', 'run'])).addresses
    const names = ['attic', 'cellar', 'shed', 'barn']
    for (const name of names) {
      const words = ['node', 'init', '--nickname', name, '--introducer', address]
      await run(name, [...words, '--listen', loopback, '--reserve', '1MiB'])
      await start(name, ['node', 'run'])
    }
    await run('client', ['init', '--introducer', address])
    const file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, 'some text\n'.repeat(20_000))
    const { stdout } = await run('client', ['put', file, '--k', '1', '--happy', '3', '--n', '3'])
    const caps = (await run('client', ['log', 'create'])).stdout.trim().split('\n')
    await fs.writeFile(path.join(directory, 'admin.cap'), caps[0])
    await fs.writeFile(path.join(directory, 'append.cap'), caps[1])
    const all = await shareCounts(names)
    const holder = names.find((name) => all.get(name) === 1) ?? ''
    // nodes hear of others within a second or so
    for (let tries = 0; tries < 100 && (await knownTo(holder)) < names.length; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    const drained = await run(holder, ['node', 'drain', '--json'])
    assert.equal(drained.exit, 3, drained.stdout)
    const [bound, summary] = linesOf(drained.stdout)
    assert.deepEqual([summary.moved, summary.boundLogs, summary.mayBeSwitchedOff], [1, 1, false])
    assert.deepEqual([bound.servers, bound.quorum, bound.next], [4, 3, 'grid log move'])
    const said = await run(holder, ['node', 'drain'])
    assert.match(said.stdout, /^log \w{52} counts on this node: one of 4 servers, of which 3 must/m)
    assert.match(said.stderr, /1 of 1 logs count on this node, .*: grid log move; do not switch/)

    const admin = ['--cap-file', path.join(directory, 'admin.cap')]
    for (let tries = 0; tries < 100; tries++) {
      if ((await run('client', ['status'])).stderr.includes(', 3 accept shares')) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const moved = await run('client', ['log', 'move', '--json', ...admin])
    assert.equal(moved.exit, 0, moved.stdout)
    assert.deepEqual(linesOf(moved.stdout).at(-1)?.gone, 1)
    const again = await run(holder, ['node', 'drain', '--json'])
    assert.equal(again.exit, 0, again.stdout)
    const [end] = linesOf(again.stdout)
    assert.deepEqual([end.there, end.logs, end.boundLogs, end.mayBeSwitchedOff], [1, 1, 0, true])
    const status = await run(holder, ['node', 'status'])
    assert.match(status.stdout, /it takes no more/)
    const checked = await run('client', ['check', '--json', stdout.trim()])
    assert.equal(checked.exit, 0)
    const others = await shareCounts(names.filter((name) => name !== holder))
    assert.deepEqual([...others.values()], [1, 1, 1])
    const undone = await run(holder, ['node', 'drain', '--undo'])
    assert.equal(undone.exit, 0)
  })

  it('makes a grid of an introducer, two nodes and a client', async () => {
    await run('introducer', ['introducer', 'init', '--listen', loopback])
    const introducer = await start('introducer', ['introducer', 'run'])
    const [address = ''] = introducer.addresses
    assert.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3KooW\w{44}$/)
    for (const name of ['attic', 'cellar']) {
      const words = ['node', 'init', '--nickname', name, '--introducer', address]
      await run(name, [...words, '--listen', loopback, '--reserve', '1MiB'])
      await start(name, ['node', 'run'])
    }
    await run('client', ['init', '--introducer', address])
    const file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, 'x'.repeat(5000))

    const put = await run('client', ['put', file])
    assert.equal(put.exit, 0, put.stderr)
    assert.match(put.stdout, /^URI:CHK:.*:1:2:5000:[a-z2-7]{6}\n$/)
    const status = await run('client', ['status'])
    assert.match(status.stdout, /^attic {9}12D3.*\ncellar {8}12D3/m)
    assert.equal(status.exit, 0, status.stderr)
    assert.match(
      status.stderr,
      /^new objects are coded 1-of-2: any 1 of the servers may vanish\n2 of 2 servers answer, 2 accept shares\n$/,
    )

    const [, attic] = running
    assert.equal(await attic?.stop(), 0)
    const half = await run('client', ['status'])
    assert.equal(half.exit, 5, 'one server of two is not enough for a put')
    assert.match(half.stdout, /^attic .*degraded since 20.*Z: .*try: /m)
    assert.match(half.stderr, /degraded since 20.*Z: 1 servers take shares, and a put needs 2; /)
    await running[2].stop()
    const none = await run('client', ['status', '--json'])
    assert.equal(none.exit, 9)
    const { state, since, cause, next } = JSON.parse(
      none.stdout.trim().split('\n').at(-1)!,
    ) as Record<string, string>
    assert.deepEqual([state, cause], ['degraded', 'none of 2 storage servers answers'])
    assert.ok(since.startsWith('20') && next.length > 10)
    await start('cellar', ['node', 'run'])
    const got = await run('client', ['cat', put.stdout.trim()])
    assert.equal(got.stdout, 'x'.repeat(5000), got.stderr)
  })

  it('says that an introducer is lost, since when, and what to do', async () => {
    await run('introducer', ['introducer', 'init', '--listen', loopback])
    const introducer = await start('introducer', ['introducer', 'run'])
    const [address = ''] = introducer.addresses
    for (const name of ['attic', 'cellar']) {
      const words = ['node', 'init', '--nickname', name, '--introducer', address]
      await run(name, [...words, '--listen', loopback, '--reserve', '1MiB'])
      await start(name, ['node', 'run'])
    }
    await run('client', ['init', '--introducer', address])
    for (const name of ['client', 'attic']) {
      const well = await run(name, ['status'])
      assert.match(well.stdout, /^introducer {4}12D3KooW….{6} {2}names the servers$/m)
      assert.doesNotMatch(well.stderr, /introducer/)
    }
    await introducer.stop()
    for (const name of ['client', 'attic']) {
      let lost = await run(name, ['status'])
      // a node may need a moment to see that its connection has ended
      for (let tries = 0; tries < 50 && lost.exit === 0; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        lost = await run(name, ['status'])
      }
      assert.equal(lost.exit, 3, `${name}: ${lost.stderr}`)
      assert.match(lost.stdout, /^introducer .* degraded since 20.*Z: .* try: start it again; /m)
      assert.match(lost.stderr, /no introducer answers: all goes on .*; .*grid introducer init/)
    }
    const facts = linesOf((await run('client', ['status', '--json'])).stdout)
    const { state, cause } = facts.find(({ about }) => about === 'introducer') ?? {}
    assert.deepEqual([state, typeof cause], ['degraded', 'string'])
  })

  it('is up in one step, and lends its connections to the commands of its home', async () => {
    const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
    const up = await start('home', ['up', '--listen', listen, '--reserve', '1MiB'])
    assert.ok(up.addresses[0]?.startsWith(`${listen}/p2p/12D3KooW`))
    const file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, 'y'.repeat(5000))
    const put = await run('home', ['put', file])
    assert.match(put.stdout, /:1:1:5000:[a-z2-7]{6}\n$/, put.stderr)
    assert.equal((await run('home', ['cat', put.stdout.trim()])).stdout, 'y'.repeat(5000))

    const second = await run('home', ['node', 'run'])
    assert.equal(second.exit, 11)
    assert.match(second.stderr, /^error: a node is running from .* \(process \d+\)\n/)
    const status = await run('home', ['node', 'status'])
    assert.match(status.stdout, /^12D3KooW\w{44} runs, and knows 1 storage servers\n/)
    assert.match(status.stdout, /\nit keeps 1 shares, 5\.\d+ KiB\nit takes [\d.]+ GiB more\n$/)
    const status2 = await run('home', ['status'])
    assert.equal(status2.exit, 0, status2.stderr)
    assert.match(
      status2.stdout,
      /^this node: up \d+ s, 1 shares, [\d.]+ KiB on disk, 0 damaged, not all/m,
    )

    const top = await run('home', ['top', '--once', '--json'])
    const [view] = linesOf(top.stdout)
    assert.deepEqual([view.type, view.peers], ['item', 1])
    assert.ok((view.storage as { diskBytes: number }).diskBytes > 5000)
    assert.ok('putShare' in (view.requests as object), top.stdout)
    assert.match((await run('home', ['top', '--once'])).stdout, /^node {2}12D3.*\nmemory .*\nin /)

    const scrubbed = await run('home', ['node', 'scrub', '--now'])
    assert.match(scrubbed.stdout, /^all shares were read through by 20.*Z: 1, 0 damaged, 0 lost\n$/)
    assert.equal(scrubbed.exit, 0)
    const events = linesOf((await run('home', ['events', '--json'])).stdout)
    const names = events.filter(({ type }) => type === 'item').map(({ event }) => event)
    assert.equal(names[0], 'node.started')
    assert.ok(names.includes('scrub.done'), names.join())

    assert.equal(await up.stop(), 0)
    assert.equal((await run('home', ['node', 'status'])).exit, 9)
    for (const words of [
      ['top', '--once'],
      ['events', '-f'],
      ['node', 'scrub'],
    ])
      assert.equal((await run('home', words)).exit, 9, words.join(' '))
    const after = await run('home', ['events'])
    assert.match(
      after.stdout,
      /^20.*Z {2}node\.started {2}software=.*\n(.*\n)*20.*Z {2}node\.stopped\n$/,
    )
    const stopped = await run('home', ['status'])
    assert.notEqual(stopped.exit, 0)
    assert.match(
      stopped.stdout,
      /^this node: it does not run, though it keeps shares; try: grid node run$/m,
    )
    const again = await start('home', ['up'])
    assert.deepEqual(again.addresses, up.addresses)
  })

  it('never says that a grid is well of which it knows nobody', async () => {
    await run('introducer', ['introducer', 'init', '--listen', loopback])
    const introducer = await start('introducer', ['introducer', 'run'])
    await introducer.stop()
    await run('client', ['init', '--introducer', introducer.addresses[0]])
    const { exit, stdout, stderr } = await run('client', ['status'])
    assert.equal(exit, 9)
    assert.match(stdout, /^introducer .* never worked: .* try: see whether it runs .*\n$/)
    assert.match(
      stderr,
      /^error: never worked: no storage server is known: .*\ntry: check grid\.introducers/,
    )
  })

  it('follows events as they happen, until Ctrl-C, which is how that ends well', async () => {
    const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
    await start('home', ['up', '--listen', listen, '--reserve', '1MiB'])
    const stop = new AbortController()
    const fake = fakeWorld()
    const world: World = { ...fake, clock: new SystemClock(), signal: stop.signal }
    const follow = dispatch(['events', '-f', '--home', path.join(directory, 'home')], world)
    await run('home', ['node', 'scrub', '--now'])
    while (!fake.stdout.text.includes('node.started'))
      await new Promise((resolve) => setTimeout(resolve, 10))
    stop.abort(new GridError('E_INTERRUPTED', 'stopped by SIGINT'))
    assert.equal(await follow, 0)
  })

  it('shows no secret of the home in any view of it', async () => {
    const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
    await start('home', ['up', '--listen', listen, '--reserve', '1MiB'])
    const file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, 'canary'.repeat(1000))
    const put = await run('home', ['put', file])
    await run('home', ['backup', file])
    const said: string[] = []
    for (const words of [['status'], ['top', '--once'], ['events'], ['node', 'scrub', '--now']])
      for (const more of [[], ['--json'], ['-v']]) {
        const { stdout, stderr } = await run('home', [...words, ...more])
        said.push(stdout, stderr)
      }
    const kept = await fs.readdir(path.join(directory, 'home', 'events'))
    for (const name of kept)
      said.push(await fs.readFile(path.join(directory, 'home', 'events', name), 'utf8'))
    const text = said.join('\n')
    assert.ok(text.length > 2000)
    const secretFiles = await fs.readdir(path.join(directory, 'home', 'private'), {
      recursive: true,
    })
    const secrets = [put.stdout.trim().split(':')[2], 'canarycanary']
    for (const name of secretFiles) {
      const at = path.join(directory, 'home', 'private', name)
      if (!(await fs.stat(at)).isFile()) continue
      const lines = (await fs.readFile(at, 'utf8')).split(/[\s:]+/)
      secrets.push(...lines.filter((word) => word.length >= 26))
    }
    assert.ok(secrets.length >= 5)
    for (const secret of secrets) assert.ok(!text.includes(secret), 'a secret is shown')
    assert.doesNotMatch(text, /URI:/)
  })

  it('says who has the port', async () => {
    const listen = `/ip4/127.0.0.1/tcp/${await freePort()}`
    await start('one', ['up', '--listen', listen])
    const { exit, stderr } = await run('two', ['up', '--listen', listen])
    assert.equal(exit, 1)
    assert.match(stderr, /\nerror: another program listens on /)
    assert.deepEqual((await fs.readdir(path.join(directory, 'two'))).includes('node.lock'), false)
  })

  it('needs a port that stays for the first node', async () => {
    assert.equal((await run('home', ['up', '--listen', loopback])).exit, 2)
  })
})

/** Share files of each node. */
async function shareCounts(names: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const name of names) {
    const shares = path.join(directory, name, 'storage', 'shares')
    const entries = await fs.readdir(shares, { recursive: true, withFileTypes: true })
    counts.set(name, entries.filter((entry) => entry.isFile()).length)
  }
  return counts
}
