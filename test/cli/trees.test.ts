/** Commands over trees, as transcripts over the folders of this machine. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import type { World } from '../../src/cli/world.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

let directory: string
const at = (...names: string[]): string => path.join(directory, ...names)

function run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
  const world = fakeWorld({ userDirectory: directory, ...given })
  return grid(words, Object.assign(world, { clock: new SystemClock() }))
}

/** What a command that succeeds prints. */
async function say(...words: string[]): Promise<string> {
  const { exit, stdout, stderr } = await run(words)
  assert.equal(exit, 0, `${words.join(' ')}: ${stderr}`)
  return stdout
}

async function refused(exit: number, pattern: RegExp, ...words: string[]): Promise<void> {
  const transcript = await run(words)
  assert.match(transcript.stderr, pattern)
  assert.equal(transcript.exit, exit, transcript.stderr)
  assert.equal(transcript.stdout, '')
}

const versionsOf = async (place: string): Promise<string[]> =>
  (await say('history', place)).trimEnd().split('\n').filter(Boolean)

describe('trees from the command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-trees-'))
    await run(['init'])
    await fs.writeFile(at('admin'), await say('alias', 'create', 'work', '--device', 'laptop'))
    await fs.writeFile(at('a.txt'), 'first\n')
    await fs.writeFile(at('big'), 'line of text, of which there are many\n'.repeat(200))
  })
  afterEach(() => fs.rm(directory, { recursive: true, force: true }))

  it('makes a tree, and keeps the cap that rules it out of the home', async () => {
    assert.match(await fs.readFile(at('admin'), 'utf8'), /^URI:LOG-Admin:\S+\n$/)
    assert.equal(await say('alias', 'ls'), 'work:  read, change\n')
    const kept = await fs.readFile(at('.grid', 'private', 'aliases', 'work'), 'utf8')
    assert.match(kept, /^URI:LOG-Read:\S+\nURI:LOG-Append:\S+\n$/)
    const stats = await fs.stat(at('.grid', 'private', 'aliases', 'work'))
    assert.equal(stats.mode & 0o777, 0o600)
    assert.equal(await say('ls', 'work:'), '')
    await refused(1, /there is an alias work already/, 'alias', 'create', 'work')
    await refused(2, /no name for an alias/, 'alias', 'create', '../x')
    await refused(2, /there is no alias other/, 'ls', 'other:')
  })

  it('audits, reads and checks the log behind an alias', async () => {
    await say('put', at('a.txt'), 'work:')
    assert.match(await say('log', 'audit', 'work:'), /^chain {3}laptop:1:[a-z2-7]{10}$/m)
    const [head] = /laptop:1:[a-z2-7]{10}/.exec(await say('log', 'read', 'work:')) ?? []
    assert.ok(head)
    assert.match(await say('log', 'check', 'work:', '--pin', head), /FRESH/)
    await refused(2, /there is no alias other/, 'log', 'audit', 'other:')
  })

  it('puts files into a tree, lists them, and gives them back', async () => {
    await say('put', at('a.txt'), 'work:')
    await say('mkdir', 'work:d')
    await say('put', at('a.txt'), at('big'), 'work:d/')
    await say('put', at('a.txt'), 'work:d/.hidden')
    assert.equal(await say('ls', 'work:'), 'a.txt\nd\n')
    assert.equal(await say('ls', 'work:d'), 'a.txt\nbig\n')
    assert.equal(await say('ls', '-a', 'work:d'), '.hidden\na.txt\nbig\n')
    assert.equal(await say('ls', '-R', 'work:'), 'a.txt\nd\nd/a.txt\nd/big\n')
    assert.match(await say('ls', '-l', 'work:a.txt'), /^-rw-r--r-- {10}6 {2}20\d\d-.* {2}a\.txt\n$/)
    assert.equal(await say('cat', 'work:a.txt'), 'first\n')
    assert.equal(await say('cat', '--range', '0-3', 'work:d/big'), 'line')
    await say('get', 'work:d/big', at('back'))
    assert.deepEqual(await fs.readFile(at('back')), await fs.readFile(at('big')))
    assert.equal(await say('tree', 'work:'), 'a.txt\nd/\n  .hidden\n  a.txt\n  big\n')
    assert.match(await say('du', 'work:'), /^ *7\.4\d KiB {2}4 files {2}1 directories {2}work:\n$/)
    assert.equal(await say('find', 'work:', '--name', '*.txt'), 'work:a.txt\nwork:d/a.txt\n')
    assert.equal(await say('find', 'work:', '--type', 'd'), 'work:d\n')
    assert.match(await say('stat', 'work:d/big'), /^work:d\/big\n {2}file of 7600 bytes\n {2}-rw/)
  })

  it('shows a cap only where it is asked for', async () => {
    await say('put', at('big'), 'work:')
    for (const words of [
      ['ls', '-lR', 'work:'],
      ['stat', 'work:big'],
      ['history', 'work:big'],
      ['alias', 'ls'],
    ]) {
      const { stdout, stderr } = await run([...words, '--json'])
      assert.doesNotMatch(stdout + stderr, /URI:/)
      assert.match((await run([...words, '--cap', '--json'])).stdout, /URI:/)
    }
    const cap = (await say('ls', '--cap', 'work:big')).trim().split(/ +/)[1]
    assert.equal(await say('cat', cap), await fs.readFile(at('big'), 'utf8'))
  })

  it('changes nothing where a name is wrong, and says what is', async () => {
    await say('put', at('a.txt'), 'work:')
    await refused(1, /work:b: no such file/, 'cat', 'work:b')
    await refused(1, /b: no such file or directory/, 'rm', 'work:b')
    await refused(1, /there already/, 'mkdir', 'work:a.txt')
    await refused(1, /a\.txt is not a directory/, 'put', at('a.txt'), 'work:a.txt/b')
    await refused(1, /x: no such file or directory/, 'mkdir', 'work:x/y')
    await refused(
      1,
      /work:x\/: no such directory|work:x: no such directory/,
      'put',
      at('a.txt'),
      'work:x/',
    )
    await refused(2, /no path in a tree/, 'mkdir', 'work:../x')
    await refused(2, /the root stays/, 'rm', '-r', 'work:')
    await refused(1, /is a directory, not a file/, 'cat', 'work:')
    await refused(2, /is not a place in a tree/, 'mkdir', 'local')
    assert.equal((await versionsOf('work:a.txt')).length, 1)
  })

  it('copies in all four directions', async () => {
    await fs.mkdir(at('photos', 'old'), { recursive: true })
    await fs.writeFile(at('photos', 'a.jpg'), 'picture')
    await fs.writeFile(at('photos', 'old', 'b.jpg'), 'older '.repeat(100))
    await fs.symlink('a.jpg', at('photos', 'link'))
    await fs.chmod(at('photos', 'a.jpg'), 0o640)
    await fs.utimes(at('photos', 'a.jpg'), 1_000_000, 1_000_000)
    await refused(1, /photos is a directory/, 'cp', at('photos'), 'work:')
    await say('cp', '-r', at('photos'), 'work:')
    const names = 'photos\nphotos/a.jpg\nphotos/link\nphotos/old\nphotos/old/b.jpg\n'
    assert.equal(await say('ls', '-R', 'work:'), names)
    // from tree to tree, within one and to another
    await say('cp', '-r', 'work:photos', 'work:copy')
    await say('cp', 'work:photos/a.jpg', 'work:copy/c.jpg')
    await say('alias', 'create', 'other')
    await say('cp', '-r', 'work:copy', 'other:')
    assert.equal(await say('cat', 'other:copy/old/b.jpg'), 'older '.repeat(100))
    // out again
    await say('cp', '-r', 'other:copy', at('back'))
    assert.deepEqual((await fs.readdir(at('back'))).sort(), ['a.jpg', 'c.jpg', 'link', 'old'])
    const stats = await fs.stat(at('back', 'a.jpg'))
    assert.deepEqual([stats.mode & 0o777, stats.mtimeMs], [0o640, 1_000_000_000])
    assert.equal(await fs.readlink(at('back', 'link')), 'a.jpg')
    assert.equal(await fs.readFile(at('back', 'old', 'b.jpg'), 'utf8'), 'older '.repeat(100))
    // a cap into a tree
    const cap = (await say('put', at('big'))).trim()
    await say('cp', cap, 'work:from-cap')
    assert.equal(await say('cat', 'work:from-cap'), await fs.readFile(at('big'), 'utf8'))
    await refused(2, /no name of its own/, 'cp', cap, 'work:')
    // a directory's cap, which never changes
    const directoryCap = (await say('ls', '-R', '--cap', 'work:'))
      .split('\n')
      .find((line) => line.startsWith('photos '))!
      .split(/ +/)[1]
    assert.equal(await say('ls', directoryCap), 'a.jpg\nlink\nold\n')
    assert.equal(await say('cat', `${directoryCap}/a.jpg`), 'picture')
    await refused(8, /never changes/, 'mkdir', `${directoryCap}/x`)
    await refused(2, /neither end is in a tree/, 'cp', at('a.txt'), at('b.txt'))
  })

  it('restore 7, 16: cp replaces no local file without being told, and never writes through a link', async () => {
    await fs.mkdir(at('in', 'd'), { recursive: true })
    await fs.writeFile(at('in', 'd', 'f'), 'new')
    await fs.writeFile(at('in', 'e'), 'new')
    await say('cp', '-r', at('in'), 'work:')
    await fs.mkdir(at('out', 'in'), { recursive: true })
    await fs.mkdir(at('outside'))
    await fs.writeFile(at('out', 'in', 'e'), 'mine')
    await fs.symlink(at('outside'), at('out', 'in', 'd'))
    const { exit, stderr } = await run(['cp', '-r', 'work:in', at('out')])
    assert.equal(exit, 3, stderr)
    assert.match(stderr, /d: left out: d is there already/)
    assert.deepEqual(await fs.readdir(at('outside')), [])
    assert.equal(await fs.readFile(at('out', 'in', 'e'), 'utf8'), 'mine')
    await run(['cp', '-rf', 'work:in', at('out')])
    assert.equal(await fs.readFile(at('out', 'in', 'e'), 'utf8'), 'new')
    assert.deepEqual(await fs.readdir(at('outside')), [])
    assert.deepEqual((await fs.readdir(at('out', 'in'))).sort(), ['d', 'e'])
  })

  it('restore 9: cp leaves set-id bits off, and gives all else its mode and time', async () => {
    await fs.mkdir(at('in', 'd'), { recursive: true })
    await fs.writeFile(at('in', 'd', 'f'), 'new')
    await fs.symlink('f', at('in', 'd', 'link'))
    const modes: [name: string, mode: number, kept: number][] = [
      ['in/d/f', 0o6751, 0o751],
      ['in/d', 0o3555, 0o555],
      ['in', 0o710, 0o710],
    ]
    for (const [i, [name, mode]] of modes.entries()) {
      await fs.utimes(at(name), 1_000_000 + i, 1_000_000 + i)
      await fs.chmod(at(name), mode)
    }
    await say('cp', '-r', at('in'), 'work:')
    await say('cp', '-r', 'work:in', at('out'))
    for (const [i, [name, , kept]] of modes.entries()) {
      const { mode, mtimeMs } = await fs.stat(at(name.replace('in', 'out')))
      assert.deepEqual([name, mode & 0o7777, mtimeMs], [name, kept, (1_000_000 + i) * 1000])
    }
    for (const name of ['in', 'out']) await fs.chmod(at(name, 'd'), 0o755)
  })

  it('copies what is there again with -f, whatever its size and time, and nothing without', async () => {
    await fs.utimes(at('a.txt'), 1_000_000, 1_000_000)
    await say('put', at('a.txt'), 'work:')
    await fs.mkdir(at('out'))
    const part = `.grid-${'a'.repeat(13)}.part`
    await fs.writeFile(at('out', part), 'another copy is writing this')
    await fs.writeFile(at('out', 'a.txt'), 'rotten')
    await fs.utimes(at('out', 'a.txt'), 1_000_000, 1_000_000)
    await refused(1, /a\.txt is there already/, 'cp', 'work:a.txt', at('out'))
    assert.equal(await fs.readFile(at('out', 'a.txt'), 'utf8'), 'rotten')
    await say('cp', '-f', 'work:a.txt', at('out'))
    assert.equal(await fs.readFile(at('out', 'a.txt'), 'utf8'), 'first\n')
    await refused(1, /no such directory/, 'cp', 'work:a.txt', at('none', 'b'))
    assert.deepEqual((await fs.readdir(at('out'))).sort(), [part, 'a.txt'])
  })

  it('leaves out what it cannot copy, and says why', async () => {
    await fs.mkdir(at('in'))
    await fs.writeFile(at('in', 'x'), 'new')
    execFileSync('mkfifo', [at('in', 'fifo')])
    const server = net.createServer().listen(at('in', 'socket'))
    await once(server, 'listening')
    const { exit, stderr } = await run(['cp', '-r', at('in'), 'work:'])
    server.close()
    assert.equal(exit, 3, stderr)
    assert.match(stderr, /in\/fifo: left out: it is neither a file, a directory nor a link/)
    assert.match(stderr, /in\/socket: left out: sockets are not kept/)
    assert.equal(await say('ls', 'work:in'), 'x\n')
    await fs.symlink('x', at('in', 'link'))
    await say('cp', at('in', 'link'), 'work:')
    assert.equal(await say('cat', 'work:link'), 'new')
  })

  it('keeps names that are no text, and shows them so that they can be typed', async () => {
    await fs.mkdir(at('odd'))
    const names = ['new\nline', 'esc\x1b[31m', 'back\\slash', '__proto__', 'con structor', '‮dlo']
    for (const name of names) await fs.writeFile(at('odd', name), name)
    const raw = Buffer.concat([Buffer.from(at('odd', 'raw')), Buffer.of(0xff)])
    await fs.writeFile(raw, 'raw')
    await say('cp', '-r', at('odd'), 'work:')
    const listed = (await say('ls', 'work:odd')).trimEnd().split('\n')
    assert.deepEqual(listed, [
      '__proto__',
      'back\\\\slash',
      'con structor',
      'esc\\x1b[31m',
      'new\\x0aline',
      'raw\\xff',
      '\\xe2\\x80\\xaedlo',
    ])
    assert.equal(await say('cat', 'work:odd/raw\\xff'), 'raw')
    assert.equal(await say('cat', 'work:odd/new\\x0aline'), 'new\nline')
    await say('cp', '-r', 'work:odd', at('odd-back'))
    const back = await fs.readdir(at('odd-back'), { encoding: 'buffer' })
    assert.equal(back.length, 7)
    assert.ok(back.some((name) => name.equals(Buffer.from('raw\xff', 'latin1'))))
  })

  it('moves, links and removes, and every version stays', async () => {
    await say('put', at('a.txt'), 'work:a')
    await say('mkdir', '-p', 'work:d/e')
    await say('mv', 'work:a', 'work:d')
    assert.equal(await say('ls', '-R', 'work:'), 'd\nd/a\nd/e\n')
    await say('mv', 'work:d/a', 'work:b')
    await say('ln', 'work:b', 'work:d/second')
    await say('ln', '-s', '../b', 'work:d/soft')
    assert.equal(await say('cat', 'work:d/second'), 'first\n')
    assert.match(await say('ls', '-l', 'work:d'), /lrwxrwxrwx .* soft -> \.\.\/b\n/)
    await refused(2, /into itself/, 'mv', 'work:d', 'work:d/e')
    await refused(1, /is a directory/, 'rm', 'work:d')
    await fs.writeFile(at('a.txt'), 'second\n')
    await say('put', at('a.txt'), 'work:b')
    await say('rm', '-r', 'work:d', 'work:b')
    assert.equal(await say('ls', 'work:'), '')
    const history = await versionsOf('work:b')
    assert.deepEqual(
      history.map((line) => line.split('  ').slice(2).join(' ')),
      ['laptop removed', 'laptop 7 bytes', 'laptop 6 bytes'],
    )
    await say('restore-version', 'work:b', history[2].slice(0, 8))
    assert.equal(await say('cat', 'work:b'), 'first\n')
    await refused(2, /no such version/, 'restore-version', 'work:b', '00000000')
    const all = await versionsOf('work:')
    assert.equal(all.length, 9)
    await say('restore-version', 'work:', all[3].slice(0, 16))
    assert.equal(await say('ls', '-R', 'work:'), 'b\nd\nd/e\nd/second\nd/soft\n')
    await say('restore-version', 'work:', all[0].slice(0, 16))
    await say('alias', 'create', 'archive')
    await say('mv', 'work:b', 'archive:')
    assert.equal(await say('ls', 'work:'), '')
    assert.equal(await say('cat', 'archive:b'), 'first\n')
  })

  it('makes changes of one home one after another, whatever their number', async () => {
    const names = ['a', 'b', 'c', 'd']
    const done = await Promise.all(names.map((name) => run(['put', at('a.txt'), `work:${name}`])))
    for (const { exit, stderr } of done) assert.equal(exit, 0, stderr)
    assert.equal(await say('ls', 'work:'), 'a\nb\nc\nd\n')
    assert.equal((await versionsOf('work:')).length, 4)
  })

  it('puts nothing in the place of something with -n, nor a directory in that of a file', async () => {
    await fs.mkdir(at('in'))
    await fs.writeFile(at('in', 'x'), 'new')
    await fs.writeFile(at('in', 'y'), 'new')
    await say('mkdir', 'work:in')
    await say('put', at('a.txt'), 'work:in/x')
    await say('cp', '-rn', at('in'), 'work:')
    assert.equal(await say('cat', 'work:in/x'), 'first\n')
    assert.equal(await say('cat', 'work:in/y'), 'new')
    await say('cp', '-r', at('in'), 'work:')
    assert.equal(await say('cat', 'work:in/x'), 'new')
    await say('put', at('a.txt'), 'work:file')
    await refused(1, /file is not a directory/, 'cp', '-r', at('in'), 'work:file')
    await refused(1, /there already/, 'mv', 'work:in', 'work:file')
    await refused(1, /work:in\/x: no such directory/, 'cp', 'work:file', at('a.txt'), 'work:in/x')
  })

  it('puts what standard input says', async () => {
    const stdin = (async function* () {
      yield Buffer.from('from a ')
      yield Buffer.from('pipe')
    })()
    const { exit, stderr } = await run(['put', '-', 'work:piped'], { stdin })
    assert.equal(exit, 0, stderr)
    assert.equal(await say('cat', 'work:piped'), 'from a pipe')
  })

  it('names the cap that is needed where a cap does not do', async () => {
    await say('put', at('a.txt'), 'work:')
    const [read, append] = (await say('alias', 'ls', '--cap')).match(/URI:\S+/g)!
    await say('alias', 'add', 'mine', read)
    assert.equal(await say('cat', 'mine:a.txt'), 'first\n')
    await refused(8, /LOG-Append/, 'mkdir', 'mine:d')
    await refused(8, /LOG-Append/, 'mv', 'mine:a.txt', 'work:')
    await refused(8, /LOG-Read/, 'alias', 'add', 'blind', append)
    await refused(8, /LOG-Read/, 'ls', append)
    await refused(8, /LOG-Read/, 'ls', (await say('put', at('big'))).trim())
    assert.equal(await say('ls', 'work:'), 'a.txt\n')
    assert.equal(await say('ls', read), 'a.txt\n')
    await say('alias', 'rm', 'mine')
    assert.equal(await say('alias', 'ls'), 'work:  read, change\n')
  })

  it('lets a second home in by a cap that the first grants', async () => {
    await say('put', at('a.txt'), 'work:')
    const read = /URI:LOG-Read\S+/.exec(await say('alias', 'ls', '--cap'))![0]
    const granted = await say('log', 'grant', '--device', 'desk', '--cap-file', at('admin'))
    await fs.writeFile(at('caps'), `${read}\n${granted}`)
    // another home on the same servers
    await fs.mkdir(at('second'))
    await run(['init', '--home', at('second', 'home')])
    await fs.rm(at('second', 'home', 'storage'), { recursive: true, force: true })
    for (const key of ['identity.key']) {
      const [from, to] = [at('.grid', 'private', key), at('second', 'home', 'private', key)]
      await fs.copyFile(from, to)
    }
    await fs.symlink(at('.grid', 'storage'), at('second', 'home', 'storage'))
    const second = ['--home', at('second', 'home')]
    await say('alias', 'add', 'ours', '--cap-file', at('caps'), ...second)
    assert.equal(await say('cat', 'ours:a.txt', ...second), 'first\n')
    await fs.writeFile(at('b.txt'), 'from the desk\n')
    const [one, two] = await Promise.all([
      run(['put', at('big'), 'work:']),
      run(['put', at('b.txt'), 'ours:', ...second]),
    ])
    assert.deepEqual([one.exit, two.exit], [0, 0], one.stderr + two.stderr)
    for (const listed of [await say('ls', 'work:'), await say('ls', 'ours:', ...second)])
      assert.equal(listed, 'a.txt\nb.txt\nbig\n')
    assert.match((await versionsOf('work:b.txt'))[0], / {2}desk {2}14 bytes$/)
  }).timeout(60_000)

  it('says what it did to programs', async () => {
    const { lines } = await run(['put', at('a.txt'), 'work:', '--json'])
    const [summary, ...more] = lines()
    assert.deepEqual(more, [])
    assert.match(String(summary.version), /^[0-9a-f]{16}$/)
    assert.equal(summary.files, 1)
    const listed = await run(['ls', 'work:', '--json'])
    const [item, last] = listed.lines()
    const { path: name, kind, sizeBytes, mode } = item
    assert.deepEqual(
      { name, kind, sizeBytes, mode },
      { name: 'a.txt', kind: 'file', sizeBytes: 6, mode: '0644' },
    )
    assert.deepEqual(last, { v: 1, type: 'summary', entries: 1 })
    const missing = await run(['cat', 'work:none', '--json'])
    const error = JSON.parse(missing.stderr) as Record<string, unknown>
    assert.deepEqual([error.code, error.exit], ['E_FILE', 1])
  })
})
