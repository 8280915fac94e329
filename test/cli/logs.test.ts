import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { formatCap } from '../../src/caps/text.ts'
import type { World } from '../../src/cli/world.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { capOfDirectory } from '../../src/tree/directory-cap.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import { lit } from '../tree/entries.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

let directory: string
/** A file with the cap of a directory of two files. */
let treeFile: string
let treeCap: string

function run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
  return grid(words, fakeWorld({ userDirectory: directory, ...given }))
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** Makes a log; its admin cap and the append cap of `box`. */
async function create(): Promise<[admin: string, append: string]> {
  const { exit, stdout, stderr } = await run(['log', 'create', '--device', 'box'])
  assert.equal(exit, 0, stderr)
  const [admin = '', append = ''] = stdout.trimEnd().split('\n')
  return [admin, append]
}

describe('logs from the command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-logs-'))
    await run(['init'])
    const opened = await openGrid({ home: path.join(directory, '.grid') })
    const ref = await opened.trees.write((writer) => writeDirectory(writer, [lit('a'), lit('b')]))
    await opened.close()
    treeCap = formatCap(capOfDirectory(ref))
    treeFile = path.join(directory, 'tree.cap')
    await fs.writeFile(treeFile, `${treeCap}\n`)
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('makes a log, and prints nothing but two caps', async () => {
    const { exit, stdout, stderr } = await run(['log', 'create', '--device', 'box'])
    assert.equal(exit, 0)
    assert.match(stdout, /^URI:LOG-Admin:[a-z2-7:]+\nURI:LOG-Append:[a-z2-7:]+\n$/)
    assert.doesNotMatch(stderr, /URI:/)
  })

  it('appends snapshots and lists them', async () => {
    const [admin, append] = await create()
    const first = await run(['log', 'append', append, treeFile, '--host', 'attic', '--path', '/x'])
    assert.equal(first.exit, 0, first.stderr)
    assert.match(first.stdout, /^box:1:[a-z2-7]{10}\n$/)
    const words = ['log', 'append', append, '-', '--host', 'attic', '--label', 'daily']
    const second = await run(words, { stdin: pieces(treeCap) })
    assert.match(second.stdout, /^box:2:[a-z2-7]{10}\n$/)
    const list = await run(['log', 'read', admin])
    assert.equal(list.exit, 0)
    const [one = '', two = '', ...more] = list.stdout.trimEnd().split('\n')
    assert.deepEqual(more, [])
    assert.ok(one.startsWith(first.stdout.trimEnd()))
    assert.match(one, / {2}attic {2}2 files {2}1 directories {2}8 B$/)
    assert.ok(two.endsWith(`daily  after ${first.stdout.trim().slice(-10)}`), two)
    assert.doesNotMatch(list.stdout, /URI:/)
    assert.match(list.stderr, /^FRESH: /)
    const newest = await run(['log', 'read', admin, '--last', '1', '--caps'])
    assert.equal(newest.stdout, `${treeCap}\n`)
    const { lines } = await run(['log', 'read', admin, '--json'])
    const [item, , summary] = lines()
    assert.equal(item.cap, treeCap)
    assert.equal(item.files, 2)
    assert.deepEqual(item.paths, ['/x'])
    assert.equal(summary.state, 'FRESH')
  })

  it('reads with a weaker cap what that cap opens', async () => {
    const [admin, append] = await create()
    await run(['log', 'append', append, treeFile])
    const reading = (await run(['cap', 'attenuate', admin])).stdout.trim()
    assert.equal((await run(['log', 'read', reading])).stdout.split('\n').length, 2)
    const verifying = (await run(['cap', 'attenuate', reading])).stdout.trim()
    assert.equal((await run(['log', 'audit', verifying])).exit, 0)
  })

  it('says which cap it needs', async () => {
    const [admin, append] = await create()
    for (const [words, needed] of [
      [['log', 'read', append], 'LOG-Read'],
      [['log', 'append', admin, treeFile], 'LOG-Append'],
      [['log', 'append', append, await fileOf(append)], 'DIR-CHK'],
      [['log', 'grant', append, '--device', 'x'], 'LOG-Admin'],
      [['log', 'revoke', append, 'x'], 'LOG-Admin'],
      [['log', 'audit', append], 'LOG-Verify'],
      [['log', 'check', append, '--pin', 'box:1:aaaaaaaaaa'], 'LOG-Verify'],
    ] as const) {
      const { exit, stdout, stderr } = await run(words)
      assert.equal(exit, 8, words.join(' '))
      assert.equal(stdout, '')
      assert.match(stderr, new RegExp(`a ${needed} cap`))
      assert.doesNotMatch(stderr, /URI:/)
    }
  })

  it('lets another device append, until it is revoked', async () => {
    const [admin] = await create()
    const adminFile = await fileOf(admin)
    const granted = await run(['log', 'grant', '--device', 'phone', '--cap-file', adminFile])
    assert.equal(granted.exit, 0, granted.stderr)
    assert.match(granted.stdout, /^URI:LOG-Append:[a-z2-7:]+\n$/)
    const phone = granted.stdout.trim()
    assert.match((await run(['log', 'append', phone, treeFile])).stdout, /^phone:1:/)
    assert.equal((await run(['log', 'revoke', admin, 'laptop'])).exit, 2)
    assert.equal((await run(['log', 'revoke', '--cap-file', adminFile, 'phone'])).exit, 0)
    const refused = await run(['log', 'append', phone, treeFile])
    assert.equal(refused.exit, 8)
    assert.match(refused.stderr, /revoked/)
    assert.match((await run(['log', 'read', admin])).stdout, /^phone:1:/)
    assert.match(
      (await run(['log', 'audit', admin])).stdout,
      /chain {3}phone:1:.* revoked after 1\n/,
    )
  })

  it('audits what each server shows, and misses a head that is not there', async () => {
    const [admin, append] = await create()
    const { stdout: head } = await run(['log', 'append', append, treeFile])
    const audit = await run(['log', 'audit', admin])
    assert.equal(audit.exit, 0)
    const lines = audit.stdout.trimEnd().split('\n')
    assert.equal(lines.filter((line) => /^server .* current$/.test(line)).length, 10)
    assert.ok(lines.includes(`chain   ${head.trim()}`))
    assert.match(lines.at(-1) ?? '', /^FRESH: /)
    const check = (pin: string) => run(['log', 'check', admin, '--pin', pin])
    assert.equal((await check(head.trim())).exit, 0)
    const beyond = await check('box:7:aaaaaaaaaa')
    assert.equal(beyond.exit, 6)
    assert.match(beyond.stdout, /TRUNCATED/)
    const letters = head.trim().slice(-10)
    for (const other of [
      `aaaa${letters.slice(4)}`,
      `${letters.slice(0, 9)}${letters.endsWith('a') ? 'b' : 'a'}`,
    ])
      assert.equal((await check(`box:1:${other}`)).exit, 6, other)
    assert.equal((await check('box')).exit, 2)
  })

  it('tells of a rollback by what it has read before', async () => {
    const [admin, append] = await create()
    await run(['log', 'append', append, treeFile])
    const storage = path.join(directory, '.grid', 'storage')
    const saved = path.join(directory, 'saved')
    await fs.cp(storage, saved, { recursive: true })
    await run(['log', 'append', append, treeFile])
    await run(['log', 'read', admin])
    await fs.rm(storage, { recursive: true })
    await fs.rename(saved, storage)
    const { exit, stdout, stderr } = await run(['log', 'read', admin])
    assert.equal(exit, 6)
    assert.match(stderr, /TRUNCATED/)
    assert.match(stdout, /^box:1:/)
    assert.equal((await run(['log', 'append', append, treeFile])).exit, 6)
  })

  async function fileOf(cap: string): Promise<string> {
    const file = path.join(directory, 'some.cap')
    await fs.writeFile(file, cap)
    return file
  }
})
