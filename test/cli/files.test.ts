import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { GridError } from '../../src/base/errors.ts'
import type { World } from '../../src/cli/world.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

let directory: string
let file: string

/** Runs words in a world whose user lives in the directory of the test. */
function run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
  return grid(words, fakeWorld({ userDirectory: directory, ...given }))
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

const content = 'a line of text, of which there are many\n'.repeat(100)

describe('files from the command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-files-'))
    file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, content)
    await run(['init'])
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('stores a file and prints nothing but its cap', async () => {
    const { exit, stdout, stderr } = await run(['put', file])
    assert.equal(exit, 0)
    assert.match(stdout, /^URI:CHK:[a-z2-7:0-9]+\n$/)
    assert.match(stderr, /^stored on one disk of this machine.*\nstored 3\.91 KiB in 0\.00 s\n$/)
    assert.equal((await run(['cat', stdout.trim()])).stdout, content)
  })

  it('stores several files, and an empty one, one cap a line in their order', async () => {
    const empty = path.join(directory, 'empty')
    await fs.writeFile(empty, '')
    const { stdout } = await run(['put', file, empty, file])
    const caps = stdout.trimEnd().split('\n')
    assert.equal(caps.length, 3)
    assert.equal(caps[0], caps[2])
    assert.match(caps[1], /^URI:LIT:/)
    assert.equal((await run(['cat', caps[1]])).stdout, '')
  })

  it('stores standard input', async () => {
    const { stdout } = await run(['put', '-'], { stdin: pieces('one, ', '', 'two'.repeat(50)) })
    assert.equal((await run(['cat', stdout.trim()])).stdout, `one, ${'two'.repeat(50)}`)
  })

  it('tells programs what it did, the cap in the item alone', async () => {
    const { lines, stderr } = await run(['put', file, '--json'])
    assert.equal(stderr, '')
    const [item, summary, ...more] = lines()
    assert.deepEqual(more, [])
    assert.equal(item?.type, 'item')
    assert.equal(item.file, file)
    assert.match(String(item.cap), /^URI:CHK:/)
    assert.equal(item.servers, 10)
    assert.deepEqual(summary, {
      v: 1,
      type: 'summary',
      files: 1,
      sizeBytes: content.length,
      elapsedMs: 0,
    })
  })

  it('gives equal files equal caps unless it is told not to', async () => {
    const put = async (...words: string[]): Promise<string> =>
      (await run(['put', file, ...words])).stdout
    const cap = await put()
    assert.equal(await put(), cap)
    assert.notEqual(await put('--convergence', 'random'), cap)
    const config = path.join(directory, '.grid', 'config.toml')
    const text = await fs.readFile(config, 'utf8')
    await fs.writeFile(config, text.replace('convergence = "account"', 'convergence = "random"'))
    assert.notEqual(await put(), cap)
    assert.equal(await put('--convergence', 'account'), cap)
  })

  it('codes as it is told, all three numbers or none', async () => {
    const { stdout } = await run(['put', file, '--k', '2', '--happy', '3', '--n', '4'])
    assert.match(stdout, /:2:4:4000:[a-z2-7]{6}\n$/)
    const refused = [
      ['--k', '2'],
      ['--k', '3', '--happy', '2', '--n', '4'],
      ['--k', '0'],
    ]
    refused.push(['--k', '1', '--happy', '5', '--n', '4'], ['--n', '256'], ['--k', '2.5'])
    for (const words of refused) assert.equal((await run(['put', file, ...words])).exit, 2)
  })

  it('prints no cap of what was not stored', async () => {
    const missing = path.join(directory, 'missing')
    const { exit, stdout, stderr } = await run(['put', file, missing, file])
    assert.equal(exit, 1)
    assert.equal(stdout.trim().split('\n').length, 1)
    assert.equal(stderr, `error: ${missing}: no such file\n`)
    const few = await run(['put', file, '--k', '3', '--happy', '20', '--n', '20'])
    assert.equal(few.exit, 5)
    assert.equal(few.stdout, '')
  })

  it('makes a home when there is none, and finds the file in it afterwards', async () => {
    const home = ['--home', path.join(directory, 'none')]
    const put = await run(['put', file, ...home])
    assert.equal(put.exit, 0)
    assert.match(put.stderr, /^made .*: keep a copy of it/)
    const cat = await run(['cat', put.stdout.trim(), ...home])
    assert.equal(cat.exit, 0)
    assert.equal(cat.stdout.length, 4000)
  })

  it('fetches a file under a name that is free, or to replace it', async () => {
    const cap = (await run(['put', file])).stdout.trim()
    const target = path.join(directory, 'copy')
    const { exit, stdout, stderr } = await run(['get', cap, target])
    assert.deepEqual({ exit, stdout }, { exit: 0, stdout: '' })
    assert.equal(stderr, `${target}: 3.91 KiB in 0.00 s\n`)
    assert.equal(await fs.readFile(target, 'utf8'), content)
    await fs.writeFile(target, 'mine')
    assert.equal((await run(['get', cap, target])).exit, 1)
    assert.equal(await fs.readFile(target, 'utf8'), 'mine')
    assert.equal((await run(['get', '-f', cap, target])).exit, 0)
    assert.equal(await fs.readFile(target, 'utf8'), content)
    assert.equal((await run(['get', cap])).exit, 2)
    assert.equal((await run(['get', cap, target, target])).exit, 2)
  })

  it('reads a range, and the cap from a file', async () => {
    const caps = path.join(directory, 'cap')
    await fs.writeFile(caps, (await run(['put', file])).stdout)
    const read = async (...words: string[]): Promise<string> =>
      (await run(['get', '--cap-file', caps, '-', ...words])).stdout
    assert.equal(await read(), content)
    assert.equal(await read('--range', '0-0'), 'a')
    assert.equal(await read('--range', '2-5'), 'line')
    assert.equal(await read('--range', '3990-'), content.slice(3990))
    assert.equal(await read('--range', '3990-9999'), content.slice(3990))
    assert.equal((await run(['cat', '--cap-file', caps, '--range', '4001-'])).exit, 2)
    assert.equal((await run(['cat', '--cap-file', caps, '--range', '5-4'])).exit, 2)
  })

  it('keeps JSON apart from data', async () => {
    const cap = (await run(['put', file])).stdout.trim()
    for (const words of [
      ['cat', cap],
      ['get', cap, '-'],
    ]) {
      const { stdout, stderr } = await run([...words, '--json'])
      assert.equal(stdout, content)
      const { type, sizeBytes } = JSON.parse(stderr) as Record<string, unknown>
      assert.deepEqual({ type, sizeBytes }, { type: 'summary', sizeBytes: content.length })
    }
  })

  it('leaves nothing behind where shares are missing or damaged', async () => {
    const cap = (await run(['put', file])).stdout.trim()
    const storage = path.join(directory, '.grid', 'storage')
    for (let folder = 0; folder < 3; folder++) {
      await fs.rm(path.join(storage, `folder-${folder}`), { recursive: true })
    }
    const { exit, stdout, stderr } = await run(['get', cap, path.join(directory, 'copy')])
    assert.deepEqual({ exit, stdout }, { exit: 4, stdout: '' })
    assert.match(stderr, /^error: /)
    assert.ok(!stderr.includes(cap.slice(8, 30)))
    assert.deepEqual((await fs.readdir(directory)).sort(), ['.grid', 'notes.txt'])
  })

  it('refuses a cap that cannot read a file', async () => {
    const cap = (await run(['put', file])).stdout.trim()
    const weaker = (await run(['cap', 'attenuate', cap])).stdout.trim()
    assert.equal((await run(['cat', weaker])).exit, 8)
    assert.equal((await run(['cat', `${cap}x`])).exit, 2)
  })

  it('stops when it is told to, while it reads standard input', async () => {
    const stop = new AbortController()
    const stdin = (async function* () {
      yield Buffer.from('x')
      stop.abort(new GridError('E_INTERRUPTED', 'stopped by SIGINT'))
      await new Promise(() => {})
    })()
    const { exit, stdout, stderr } = await run(['put', '-'], { stdin, signal: stop.signal })
    assert.deepEqual({ exit, stdout }, { exit: 130, stdout: '' })
    assert.equal(stderr, 'error: stopped by SIGINT\n')
  })

  it('times this machine and leaves nothing behind', async () => {
    const words = ['bench', '--size', '100kB', '--directory', directory, '--json']
    const before = await fs.readdir(directory)
    const { exit, lines } = await run(words)
    assert.equal(exit, 0)
    const figures = lines().filter(({ type }) => type === 'item')
    assert.deepEqual(
      figures.map(({ what }) => what),
      ['put', 'get', 'put', 'get'],
    )
    assert.deepEqual(await fs.readdir(directory), before)
    for (const size of ['0', '2GiB', 'much']) {
      assert.equal((await run(['bench', '--size', size])).exit, 2)
    }
  })

  it('lists the servers and how they are', async () => {
    await run(['put', file])
    const { exit, stdout, stderr } = await run(['status'])
    assert.equal(exit, 0)
    assert.equal(stdout.match(/12D3KooW….{6} {2}[\d.]+ [KMGTP]?i?B free {2}1 shares/g)?.length, 10)
    assert.match(
      stderr,
      /^new objects are coded 8-of-10: any 2 of the servers may vanish\n10 of 10 servers answer, 10 accept shares\n$/,
    )
    const { lines } = await run(['status', '--json'])
    const { servers, answering, accepting } = lines().at(-1)!
    assert.deepEqual(
      { servers, answering, accepting },
      { servers: 10, answering: 10, accepting: 10 },
    )
  })
})
