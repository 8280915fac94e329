import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { World } from '../../src/cli/world.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

let directory: string
let file: string

function run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
  return grid(words, fakeWorld({ userDirectory: directory, ...given }))
}

/** Share files of this home by the folder of their server. */
async function shares(): Promise<Map<string, string[]>> {
  const storage = path.join(directory, '.grid', 'storage')
  const found = new Map<string, string[]>()
  for (const name of await fs.readdir(storage, { recursive: true })) {
    const whole = path.join(storage, name)
    if (!name.includes('shares/') || !(await fs.stat(whole)).isFile()) continue
    const server = name.split('/')[0]
    found.set(server, [...(found.get(server) ?? []), whole])
  }
  return found
}

/** Takes the shares of so many servers away. */
async function lose(servers: number): Promise<void> {
  for (const files of [...(await shares()).values()].slice(0, servers))
    for (const each of files) await fs.rm(each)
}

describe('check and repair from the command line', () => {
  let cap: string

  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-check-'))
    file = path.join(directory, 'notes.txt')
    await fs.writeFile(file, 'a line of text, of which there are many\n'.repeat(5000))
    await run(['init', '--k', '3', '--happy', '7', '--n', '10'])
    cap = (await run(['put', file])).stdout.trim()
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('say that all is well, with a verify cap from a file and in whole', async () => {
    const { stdout } = await run(['cap', 'attenuate', cap])
    const verifier = path.join(directory, 'verify.cap')
    await fs.writeFile(verifier, stdout)
    for (const words of [[], ['--verify'], ['--sample', '100%']]) {
      const { exit, stderr, stdout } = await run(['check', '--cap-file', verifier, ...words])
      assert.equal(exit, 0)
      assert.equal(stdout, '')
      assert.match(stderr, /^1 objects: 1 healthy; the least is on 10 servers \(/)
    }
  })

  it('end with the command that comes next, which does what it says', async () => {
    await fs.writeFile(path.join(directory, 'a b.cap'), cap)
    await lose(4)
    const given = ['--cap-file', path.join(directory, 'a b.cap')]
    const found = await run(['check', ...given])
    assert.equal(found.exit, 7)
    assert.match(found.stdout, /^repairable {2}[a-z2-7]{12} {2}6 of 10 shares, 3 needed\n$/)
    const next = /\nnext: grid (.*)\n$/.exec(found.stderr)?.[1]
    assert.equal(next, `repair --cap-file '${path.join(directory, 'a b.cap')}'`)
    const repaired = await run(['repair', ...given])
    assert.equal(repaired.exit, 0)
    assert.match(
      repaired.stdout,
      /^mended {2}[a-z2-7]{12} {2}4 shares written; on 10 of 10 servers\n$/,
    )
    assert.equal((await run(['check', ...given])).exit, 0)
    const again = await run(['repair', ...given, '--json'])
    assert.equal(again.exit, 0)
    assert.equal(again.lines()[0].sharesWritten, 0)
  })

  it('never print a cap', async () => {
    await lose(5)
    for (const words of [['check'], ['check', '--json'], ['repair'], ['repair', '--json']]) {
      const { stdout, stderr } = await run([...words, cap])
      assert.doesNotMatch(stdout + stderr, /URI:/)
      assert.doesNotMatch(stdout + stderr, new RegExp(cap.split(':')[2]))
    }
  })

  it('tell of damage by server, and of what is lost', async () => {
    const all = [...(await shares()).values()]
    const [first] = all[0]
    const bytes = await fs.readFile(first)
    bytes[bytes.length - 1] ^= 1
    await fs.writeFile(first, bytes)
    const whole = await run(['check', '--verify', '--json', cap])
    assert.equal(whole.exit, 7)
    const [item, warning, summary] = whole.lines()
    assert.deepEqual([item.state, item.servers, item.verified], ['degraded', 9, 9])
    const answers = item.answers as { answer: string }[]
    assert.equal(answers.filter(({ answer }) => answer === 'damaged').length, 1)
    assert.match(String(warning.message), / has 1 shares damaged$/)
    assert.equal(summary.next, 'grid repair --verify CAP')
    assert.equal((await run(['repair', '--verify', cap])).exit, 0)
    assert.equal((await run(['check', '--verify', cap])).exit, 0)
    await lose(8)
    assert.equal((await run(['check', cap])).exit, 4)
    const hopeless = await run(['repair', cap])
    assert.equal(hopeless.exit, 4)
    assert.match(hopeless.stdout, /^hopeless .*2 of 10 shares are left, 3 needed\n$/)
  })

  it('look at trees and all versions of them by alias, by path, and all at once', async () => {
    await run(['alias', 'create', 'work'])
    await run(['mkdir', 'work:notes'])
    await run(['put', file, 'work:notes/'])
    await lose(3)
    for (const name of ['work:', 'work:notes/notes.txt', '--all']) {
      const found = await run(['check', name])
      assert.equal(found.exit, 7, name)
      assert.ok(found.stderr.endsWith(`\nnext: grid repair ${name}\n`), found.stderr)
    }
    assert.equal((await run(['repair', '--all'])).exit, 0)
    assert.equal((await run(['check', '--all', '--verify'])).exit, 0)
    assert.equal((await run(['rebalance', 'work:'])).exit, 0)
  })

  it('want one thing to look at, and take no local file for it', async () => {
    for (const words of [[], ['--all', cap], [file], ['--sample', '200%', '--all']])
      assert.equal((await run(['check', ...words])).exit, 2, words.join(' '))
  })

  it('leave alone what has as many shares as they are told', async () => {
    await lose(2)
    const left = await run(['repair', '--below', '8', '--json', cap])
    assert.equal(left.lines()[0].sharesWritten, 0)
    const done = await run(['repair', '--below', '9', '--json', cap])
    assert.equal(done.lines()[1].sharesWritten, 2)
  })

  it('bring a file back from the file itself, and take no other for it', async () => {
    await lose(9)
    assert.equal((await run(['repair', cap])).exit, 4)
    const other = path.join(directory, 'other.txt')
    await fs.writeFile(other, 'another text\n'.repeat(5000))
    const refused = await run(['repair', cap, '--from-local', other])
    assert.equal(refused.exit, 1)
    assert.match(refused.stderr, /^error: the file is not what this cap is of/)
    assert.equal([...(await shares()).values()].flat().length, 1)
    const repaired = await run(['repair', cap, '--from-local', file, '--json'])
    assert.equal(repaired.exit, 0)
    assert.deepEqual(repaired.lines()[0].sharesWritten, 9)
    assert.equal((await run(['check', '--verify', cap])).exit, 0)
    const large = path.join(directory, 'large')
    const bytes = randomBytes(3_000_000)
    await fs.writeFile(large, bytes)
    const whole = (await run(['put', large])).stdout.trim()
    await lose(10)
    assert.equal((await run(['check', whole])).exit, 4)
    assert.equal((await run(['repair', whole, '--from-local', large])).exit, 0)
    const copy = path.join(directory, 'copy')
    assert.equal((await run(['get', whole, copy])).exit, 0)
    assert.deepEqual(await fs.readFile(copy), bytes)
  })

  it('are what the keeper does, with verify caps and once a week', async () => {
    await run(['alias', 'create', 'work'])
    await run(['put', file, 'work:'])
    assert.equal((await run(['keeper', 'add', '--all'])).exit, 0)
    const stdin = (async function* () {
      yield Buffer.from(`${cap}\n`)
    })()
    assert.equal((await run(['keeper', 'add', '--cap-stdin'], { stdin })).exit, 0)
    await lose(4)
    const { exit, lines } = await run(['keeper', 'run', '--once', '--json'])
    assert.equal(exit, 0)
    const visited = lines().filter(({ event }) => event === 'visited')
    assert.deepEqual(
      visited.map(({ objects, healthy }) => [objects, healthy]),
      [
        [2, 2],
        [1, 1],
      ],
    )
    assert.equal((await run(['check', cap])).exit, 0)
    const again = await run(['keeper', 'run', '--once', '--json'])
    assert.equal(again.lines()[0].visited, 0)
    assert.equal((await run(['keeper', 'ls', '--json'])).lines().length, 3)
    assert.equal((await run(['keeper', 'rm', cap])).exit, 0)
    assert.equal((await run(['keeper', 'ls', '--json'])).lines().length, 2)
  })
})
