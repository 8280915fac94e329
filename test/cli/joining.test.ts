/** Grids that grow by invitations, over real sockets in one process. */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { World } from '../../src/cli/world.ts'
import { fakeWorld } from './fake-world.ts'

const loopback = '/ip4/127.0.0.1/tcp/0'
const here = ['--listen', loopback, '--reserve', '1MiB']

let directory: string
let running: { stop: () => Promise<unknown> }[]

/** Runs a line to its end, as the user whose home is `name`. */
async function run(name: string, words: readonly string[], given: Partial<World> = {}) {
  const world = { ...fakeWorld(given), clock: new SystemClock() }
  const exit = await dispatch([...words, '--home', path.join(directory, name)], world)
  return { exit, stdout: world.stdout.text, stderr: world.stderr.text }
}

/** Runs a line that must end well; what it printed. */
async function ok(name: string, ...words: string[]): Promise<string> {
  const { exit, stdout, stderr } = await run(name, words)
  assert.equal(exit, 0, `${words.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** Starts a line that runs until it is stopped; resolves once it listens. */
async function start(name: string, ...words: string[]): Promise<() => Promise<unknown>> {
  const stop = new AbortController()
  const fake = fakeWorld()
  const world: World = { ...fake, clock: new SystemClock(), signal: stop.signal }
  const ended = dispatch([...words, '--home', path.join(directory, name)], world)
  await new Promise<void>((resolve, reject) => {
    fake.stdout.onWrite = resolve
    void ended.then((exit) => reject(new Error(`ended with ${exit}: ${fake.stderr.text}`)))
  })
  const end = (): Promise<unknown> => {
    stop.abort(new GridError('E_INTERRUPTED', 'stopped by SIGTERM'))
    return ended
  }
  running.push({ stop: end })
  return end
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 150) throw new Error('it does not come about')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Joins by one pasted line and comes up. */
async function joinBy(link: string, name: string): Promise<() => Promise<unknown>> {
  await ok(name, 'join', link, '--nickname', name, ...here)
  return start(name, 'up')
}

async function accepting(name: string): Promise<number> {
  const { stderr } = await run(name, ['status'])
  return Number(/, (\d+) accept shares/.exec(stderr)?.[1] ?? 0)
}

describe('joining a grid', function () {
  this.timeout(60_000)
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-join-'))
    running = []
  })
  afterEach(async () => {
    await Promise.all(running.map((node) => node.stop()))
    await fs.rm(directory, { recursive: true })
  })

  it('takes one pasted line, and the eleventh machine gets shares', async () => {
    await ok('intro', 'introducer', 'init', '--membership', 'signed', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    for (let i = 1; i <= 10; i++) {
      await joinBy(await ok('intro', 'invite', '--yes', '--name', `invite ${i}`), `n${i}`)
    }
    const link = await ok('intro', 'invite', '--yes', '--quota', '1GiB')
    assert.match(link, /^grid-invite:1:127\.0\.0\.1\/\d+:12D3KooW\w{44}:[a-z2-7]{26}:[a-z2-7]{6}$/)
    assert.ok(link.length < 200)
    await joinBy(link, 'n11')
    // who puts must have heard of it as well
    for (const name of ['n11', 'n1']) await until(async () => (await accepting(name)) === 11)
    const file = path.join(directory, 'file')
    // one server of eleven is left out of each object, hardly the same one six times
    for (let i = 0; i < 6; i++) {
      await fs.writeFile(file, `${i} `.repeat(2000))
      await ok('n1', 'put', file)
    }
    const status = await ok('n11', 'node', 'status')
    assert.match(status, /\nit keeps [1-9]\d* shares/)
    const members = await ok('intro', 'members')
    assert.match(members, /^n11 {2}server and client {2}1\.00 GiB {2}until 20\d\d-/m)
  })

  it('keeps strangers out of a signed grid, and puts a member out', async () => {
    await ok('intro', 'introducer', 'init', '--membership', 'signed', '--listen', loopback)
    const stop = await start('intro', 'introducer', 'run')
    const link = await ok('intro', 'invite', '--yes')
    await joinBy(link, 'a')
    await joinBy(await ok('intro', 'invite', '--yes'), 'b')
    await until(async () => (await accepting('a')) === 2)
    const file = path.join(directory, 'file')
    await fs.writeFile(file, 'x'.repeat(5000))
    const cap = await ok('a', 'put', file)
    assert.equal(await ok('b', 'cat', cap), 'x'.repeat(5000))

    // a stranger that knows the introducer
    const config = await fs.readFile(path.join(directory, 'a', 'config.toml'), 'utf8')
    const [, address = ''] = /introducers = \["([^"]+)"/.exec(config) ?? []
    const [, key = ''] = /^key = "(\w+)"/m.exec(config) ?? []
    await ok('stranger', 'init', '--introducer', address)
    const refused = await run('stranger', ['cat', cap])
    assert.equal(refused.exit, 4)
    const seen = await run('stranger', ['status'])
    assert.match(seen.stdout, /members only: ask one for an invitation, then run: grid join/)
    // one that calls itself a member: nobody uploads to it, and it gets nothing
    const own = ['--listen', loopback, '--introducer', address, '--reserve', '1MiB']
    await ok('sybil', 'node', 'init', ...own)
    const at = path.join(directory, 'sybil', 'config.toml')
    const text = await fs.readFile(at, 'utf8')
    const signed = text.replace('membership = "open"', 'membership = "signed"')
    await fs.writeFile(at, signed.replace('key = ""', `key = "${key}"`))
    await start('sybil', 'node', 'run')
    await until(async () => (await run('a', ['status'])).stderr.includes('of 3 servers'))
    assert.equal(await accepting('a'), 2)

    const shown = await ok('intro', 'members')
    assert.match(shown, /^b {2}server and client {2}no bound {2}until /m)
    await ok('intro', 'member', 'revoke', 'b')
    await until(async () => (await accepting('a')) === 1)
    assert.equal((await run('b', ['cat', cap])).stdout, 'x'.repeat(5000), 'from its own disk')
    await until(async () => {
      const put = await run('b', ['put', file])
      return !put.stderr.includes(' 2 servers accept')
    })
    const { stdout } = await run('b', ['status'])
    assert.match(stdout, /member: the membership of this home was revoked .* grid join --replace/)
    // the introducer starts again and knows it still
    await stop()
    await start('intro', 'introducer', 'run')
    assert.match(await ok('intro', 'members'), /^b .* revoked /m)
  })

  it('asks the inviter, and both see the same words', async () => {
    await ok('intro', 'introducer', 'init', '--membership', 'signed', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    const link = await ok('intro', 'invite', '--name', 'attic')
    const joining = run('a', ['join', link, '--nickname', 'my attic', ...here])
    await until(async () => (await ok('intro', 'invite', 'ls')).includes('asked'))
    const [, words = ''] = /from 127\.0\.0\.1: (.*)$/m.exec(await ok('intro', 'invite', 'ls')) ?? []
    assert.match(words, /^[a-z]+ [a-z]+ [a-z]+ [a-z]+$/)

    const thief = await run('thief', ['join', link])
    assert.equal(thief.exit, 8)
    assert.match(thief.stderr, /error: the invitation was used already, by another node/)

    await ok('intro', 'invite', 'approve', 'attic')
    const { exit, stderr } = await joining
    assert.equal(exit, 0, stderr)
    assert.ok(stderr.includes(`the same words: ${words}`), stderr)
    assert.match(stderr, /joined the grid main as server and client; now run: grid up/)
    assert.match(await ok('intro', 'invite', 'ls'), /attic {2}joined/)
    const again = await run('a', ['join', link])
    assert.match(again.stderr, /this home is in the grid main already/)
  })

  it('asks at the terminal, and sends away whom the inviter does not want', async () => {
    await ok('intro', 'introducer', 'init', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    const asked: string[] = []
    const world = fakeWorld()
    const inviting = dispatch(
      ['invite', '--name', 'shed', '--home', path.join(directory, 'intro')],
      {
        ...world,
        clock: new SystemClock(),
        ask: async (question) => {
          asked.push(question)
          return 'n'
        },
      },
    )
    await until(async () => world.stdout.text.includes('grid-invite:'))
    const { exit, stderr } = await run('a', ['join', world.stdout.text.trim(), ...here])
    assert.equal(exit, 8)
    assert.match(stderr, /error: the inviter said no/)
    assert.equal(await inviting, 0)
    assert.match(asked.join(), /^Does it show "\w+ \w+ \w+ \w+", and may it join\? \[y\/N\] $/)
  })

  it('says what is wrong with a link, and with one that is spent', async () => {
    await ok('intro', 'introducer', 'init', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    const link = await ok('intro', 'invite', '--name', 'one')
    const asked: string[] = []
    const ask = async (question: string): Promise<string> => {
      asked.push(question)
      return link.slice(0, -1)
    }
    assert.equal((await run('a', ['join'], { ask })).exit, 2)
    assert.deepEqual(asked, ['paste the line that grid invite printed: '])
    const wrong = await run('a', ['join', link.slice(0, -1)])
    assert.equal(wrong.exit, 2)
    assert.match(wrong.stderr, /that is not an invitation: a character of it is wrong/)
    await ok('intro', 'invite', 'revoke', 'one')
    const { exit, stderr } = await run('a', ['join', link])
    assert.equal(exit, 8)
    assert.match(stderr, /error: the invitation was taken back: ask for a new one/)
    const short = await ok('intro', 'invite', '--name', 'two', '--expires', '1ms')
    assert.match((await run('a', ['join', short])).stderr, /the invitation has expired/)
    assert.match(await ok('intro', 'invite', 'ls'), /^two {2}expired/m)
    assert.equal((await run('b', ['invite', 'ls'])).exit, 10)
    await ok('b', 'init')
    assert.equal((await run('b', ['invite'])).exit, 9)
    const other = await run('intro', ['members'])
    assert.match(other.stderr, /error: this home does not hold the key of a grid; try: ask at/)
    const again = await run('intro', ['invite', '--name', 'three'])
    assert.equal(again.exit, 0)
    const twice = await run('intro', ['invite', '--name', 'three'])
    assert.match(twice.stderr, /error: there is an invitation called three already; try: give/)
  })

  it('hands over the secret of an outer wall, at a door that is open for it only', async () => {
    await ok('intro', 'introducer', 'init', '--membership', 'signed', '--psk', '--listen', loopback)
    const config = path.join(directory, 'intro', 'config.toml')
    const text = await fs.readFile(config, 'utf8')
    await fs.writeFile(config, text.replace('"/ip4/0.0.0.0/tcp/7782"', `"${loopback}"`))
    await start('intro', 'introducer', 'run')
    const link = await ok('intro', 'invite', '--yes')
    await joinBy(link, 'a')
    await joinBy(await ok('intro', 'invite', '--yes'), 'b')
    await until(async () => (await accepting('a')) === 2)
    const file = path.join(directory, 'file')
    await fs.writeFile(file, 'x'.repeat(5000))
    const cap = await ok('a', 'put', file)
    assert.equal(await ok('b', 'cat', cap), 'x'.repeat(5000))
    const secret = path.join(directory, 'b', 'private', 'psk')
    assert.equal((await fs.stat(secret)).mode & 0o777, 0o600)
    const original = path.join(directory, 'intro', 'private', 'psk')
    assert.deepEqual(await fs.readFile(secret), await fs.readFile(original))
  })

  it('keeps the files of a home readable that it had before it joined', async () => {
    const file = path.join(directory, 'file')
    await fs.writeFile(file, 'before '.repeat(900))
    const old = await ok('a', 'put', file)
    await ok('intro', 'introducer', 'init', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    await joinBy(await ok('intro', 'invite', '--yes'), 'b')
    const stop = await joinBy(await ok('intro', 'invite', '--yes'), 'a')
    assert.equal(await ok('a', 'cat', old), 'before '.repeat(900).trim())
    await until(async () => (await accepting('a')) === 2)
    await fs.writeFile(file, 'after '.repeat(900))
    const cap = await ok('a', 'put', file)
    assert.match(cap, /:1:2:\d+:[a-z2-7]{6}$/, 'coded for the two servers of the grid')
    await stop()
    assert.equal(await ok('a', 'cat', old), 'before '.repeat(900).trim())
    assert.equal(await ok('b', 'cat', cap), 'after '.repeat(900).trim())
  })

  it('adds a machine to a list', async () => {
    await ok('intro', 'introducer', 'init', '--membership', 'list', '--listen', loopback)
    await start('intro', 'introducer', 'run')
    await joinBy(await ok('intro', 'invite', '--yes'), 'a')
    const id = await ok('a', 'node', 'id')
    const config = await fs.readFile(path.join(directory, 'intro', 'config.toml'), 'utf8')
    assert.ok(config.split('\n').some((line) => line.startsWith('members = ') && line.includes(id)))
    const file = path.join(directory, 'file')
    await fs.writeFile(file, 'x'.repeat(5000))
    await ok('a', 'put', file)
  })
})
