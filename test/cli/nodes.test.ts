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
    const all = await shareCounts(names)
    const holder = names.find((name) => all.get(name) === 1) ?? ''
    const drained = await run(holder, ['node', 'drain', '--json'])
    assert.equal(drained.exit, 0, drained.stdout)
    const summary = JSON.parse(drained.stdout) as Record<string, unknown>
    assert.deepEqual([summary.moved, summary.mayBeSwitchedOff], [1, true])
    const again = await run(holder, ['node', 'drain', '--json'])
    assert.deepEqual((JSON.parse(again.stdout) as { there: number }).there, 1)
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
    assert.match(status.stderr, /^2 of 2 servers answer, 2 accept shares\n$/)

    const [, attic] = running
    assert.equal(await attic?.stop(), 0)
    const got = await run('client', ['cat', put.stdout.trim()])
    assert.equal(got.stdout, 'x'.repeat(5000), got.stderr)
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
    assert.equal(await up.stop(), 0)
    assert.equal((await run('home', ['node', 'status'])).exit, 9)
    const again = await start('home', ['up'])
    assert.deepEqual(again.addresses, up.addresses)
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
