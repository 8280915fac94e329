import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { World } from '../../src/cli/world.ts'
import { MemoryGrid } from '../node/memory-grid.ts'
import { fakeWorld, type Transcript } from './fake-world.ts'
import { refused, withFaults } from './faulty-files.ts'

describe('grid backup', () => {
  let directory: string
  const at = (...names: string[]): string => path.join(directory, ...names)
  const write = (name: string, content: string | Uint8Array = name): void => {
    fs.mkdirSync(path.dirname(at(name)), { recursive: true })
    fs.writeFileSync(at(name), content)
  }

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-backup-'))
    write('data/a', 'first')
    write('data/deep/b', 'second')
  })
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  async function run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
    const fake = fakeWorld({ userDirectory: directory, ...given })
    const exit = await dispatch(words, { ...fake, clock: new SystemClock() })
    return { exit, stdout: fake.stdout.text, stderr: fake.stderr.text, lines: () => [] }
  }

  /** Backs up `data`. */
  const backUp = (...words: string[]): Promise<Transcript> => run(['backup', at('data'), ...words])

  /** Names of what comes back of the newest snapshot, from `data`. */
  async function restored(): Promise<string[]> {
    const out = fs.mkdtempSync(at('out-'))
    const { exit, stderr } = await run(['restore', 'latest:data', out])
    assert.equal(exit, 0, stderr)
    return fs.readdirSync(out, { recursive: true, encoding: 'utf8' }).sort()
  }

  const lines = ({ stderr }: Transcript): string[] => stderr.trimEnd().split('\n')
  /** The one line that speaks of `name`. */
  const lineOf = (ran: Transcript, name: string): string => {
    const found = lines(ran).filter((line) => line.includes(name))
    assert.equal(found.length, 1, ran.stderr)
    return found[0]
  }

  it('makes a home and a log on first use, and says how to take the admin cap off', async () => {
    const ran = await backUp()
    assert.equal(ran.exit, 0, ran.stderr)
    assert.match(lineOf(ran, 'admin cap'), /grid keys paper --remove-admin$/)
    assert.match(ran.stdout, /^\S+:1:[a-z2-7]{10}\n$/)
    assert.deepEqual(await restored(), ['a', 'deep', 'deep/b'])
    const again = await backUp()
    assert.equal(again.exit, 0)
    assert.ok(!again.stderr.includes('admin cap'))
    assert.match(again.stdout, /^\S+:2:/)
  })

  describe('of a tree with something odd in it', () => {
    it('tells of a file that cannot be read, does the rest, and ends with 3', async () => {
      write('data/secret')
      const ran = await withFaults({ '/secret': refused('EACCES') }, () => backUp())
      assert.equal(ran.exit, 3)
      assert.match(lineOf(ran, 'secret'), /data\/secret: it cannot be read: EACCES$/)
      assert.deepEqual(await restored(), ['a', 'deep', 'deep/b'])
      assert.match((await run(['snapshots'])).stdout, /partial\n$/)
    })

    it('tells of a file that is gone when it is to be read', async () => {
      write('data/fleeting')
      const opening = (): void => fs.rmSync(at('data/fleeting'), { force: true })
      const ran = await withFaults({ '/fleeting': { opening } }, () => backUp())
      assert.equal(ran.exit, 3)
      assert.match(lineOf(ran, 'fleeting'), /data\/fleeting: it is gone/)
      assert.deepEqual(await restored(), ['a', 'deep', 'deep/b'])
    })

    it('tells of a file that changes whenever it is read', async () => {
      write('data/log', 'line\n'.repeat(100))
      const read = (): void => fs.appendFileSync(at('data/log'), 'one more\n')
      const ran = await withFaults({ '/log': { read } }, () => backUp())
      assert.equal(ran.exit, 3, ran.stderr)
      assert.match(lineOf(ran, 'log:'), /data\/log: it changed while it was read/)
    })

    it('tells of sockets, which count for nothing', async () => {
      const server = net.createServer()
      await new Promise<void>((resolve) => server.listen(at('data/socket'), resolve))
      const ran = await backUp()
      server.close()
      assert.equal(ran.exit, 0, ran.stderr)
      assert.match(lineOf(ran, 'socket'), /data\/socket: sockets are not kept$/)
    })

    it('shows no name raw that a terminal would obey', async () => {
      const name = 'x\x1b]0;owned\x07\r\u202e'
      write(`data/${name}`)
      const faults = { '\u202e': refused('EACCES'), '\xe2\x80\xae': refused('EACCES') }
      const ran = await withFaults(faults, () => backUp())
      assert.equal(ran.exit, 3)
      const dry = await run(['backup', '--dry-run', '--json', at('data')])
      const plain = await run(['backup', '--dry-run', at('data')])
      for (const text of [ran.stderr, dry.stdout, plain.stdout]) {
        assert.match(text, /x\\+x1b/)
        // eslint-disable-next-line no-control-regex -- none of these may reach a terminal
        assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f\u202e]/)
      }
    })
  })

  it('says that the grid is full, and ends with 13', async () => {
    assert.equal((await backUp()).exit, 0)
    const config = at('.grid/config.toml')
    const text = fs.readFileSync(config, 'utf8')
    const changed = text.replace(/^(# ?)?reserve = .*$/m, 'reserve = "1024TiB"')
    assert.notEqual(changed, text)
    fs.writeFileSync(config, changed)
    const unchanged = await backUp()
    assert.equal(unchanged.exit, 13, unchanged.stderr)
    assert.match(lineOf(unchanged, 'error: '), /the grid is full/)
    write('data/more', Buffer.alloc(200_000, 'abc'))
    for (const words of [[], ['--log', 'another']]) {
      const ran = await backUp(...words)
      assert.equal(ran.exit, 13, ran.stderr)
      assert.match(lineOf(ran, 'error: '), /the grid is full/)
    }
  })

  it('ends with 5 where the log has too few servers, and goes on when they are back', async () => {
    assert.equal((await run(['init'])).exit, 0)
    const memory = await MemoryGrid.of(10)
    const openGrid: World['openGrid'] = () => Promise.resolve(memory.another())
    const backUpThere = (): Promise<Transcript> => run(['backup', at('data')], { openGrid })
    assert.equal((await backUpThere()).exit, 0)
    const honest = [...memory.candidates]
    const fail = (): Promise<never> => Promise.reject(new GridError('E_CLOSED', 'reset'))
    for (const i of [0, 1, 2, 3]) memory.wrap(i, () => ({ appendEntries: fail, readLog: fail }))
    write('data/more', Buffer.alloc(100_000, 'abc'))
    const ran = await backUpThere()
    assert.equal(ran.exit, 5, ran.stderr)
    assert.match(lineOf(ran, 'error: '), /servers/)
    memory.candidates.splice(0, honest.length, ...honest)
    assert.equal((await backUpThere()).exit, 0)
  })

  describe('where a server takes no shares', () => {
    let memory: MemoryGrid
    let honest: MemoryGrid['candidates']
    const openGrid: World['openGrid'] = () => Promise.resolve(memory.another())
    const full = (): Promise<never> => Promise.reject(new GridError('E_FULL', 'no room'))

    beforeEach(async () => {
      memory = await MemoryGrid.of(10)
      assert.equal((await run(['init'])).exit, 0)
      assert.equal((await run(['backup', at('data')], { openGrid })).exit, 0)
      write('data/more', Buffer.alloc(100_000, 'abc'))
      honest = [...memory.candidates]
      for (const i of [2, 5]) memory.wrap(i, () => ({ putShare: full }))
    })

    it('says how many shares lack and what to do, and ends with 0 as a put does', async () => {
      const ran = await run(['backup', at('data')], { openGrid })
      const says = lineOf(ran, 'found no server')
      const [, shares, objects] =
        /^warning: (\d+) shares of (\d+) objects found no server: .*, run: grid repair --log backup$/.exec(
          says,
        ) ?? []
      assert.ok(Number(objects) > 0 && Number(shares) === 2 * Number(objects), says)
      assert.equal(ran.exit, (await run(['put', at('data/more')], { openGrid })).exit)
      assert.equal(ran.exit, 0)
    })

    it('says it to a program, of what this run stored', async () => {
      const backUpThere = async (...words: string[]) => {
        const ran = await run(['backup', '--json', ...words], { openGrid })
        const told = ran.stdout.trimEnd().split('\n')
        return told.map((line) => JSON.parse(line) as { type: string; lack?: object })
      }
      const first = await backUpThere(at('data'))
      const { lack } = first.at(-1) as { lack: { objects: number; shares: number } }
      assert.equal(lack.shares, 2 * lack.objects)
      assert.ok(lack.objects > 0)
      assert.deepEqual(first.find(({ type }) => type === 'warning')?.lack, lack)
      memory.candidates.splice(0, 10, ...honest)
      const nothing = { objects: 0, shares: 0 }
      assert.deepEqual((await backUpThere(at('data'))).at(-1)?.lack, nothing)
    })

    it('says it of standard input', async () => {
      const stdin = Readable.from([Buffer.alloc(100_000, 'abcd')])
      const ran = await run(['backup', '-'], { openGrid, stdin })
      assert.match(lineOf(ran, 'found no server'), /run: grid repair --log backup$/)
      assert.equal(ran.exit, 0)
    })
  })

  describe('that cannot be done', () => {
    for (const [name, words, exit, says] of [
      ['names nothing', [], 2, /nothing to back up/],
      ['names what is not there', ['absent'], 1, /absent/],
      [
        'has more tags than fit',
        ['data', ...Array.from({ length: 34 }, (_, i) => (i % 2 ? 'x' : '-t'))],
        2,
        /16 tags/,
      ],
      ['has an empty tag', ['data', '--tag', ''], 2, /tags/],
      ['takes standard input and more', ['-', 'data'], 2, /by itself/],
      ['has a list that is not there', ['--files-from', 'absent'], 1, /absent/],
      ['has a log name that is none', ['data', '--log', '../x'], 2, /log/],
    ] as const) {
      it(`${name}, and makes no home`, async () => {
        const given = words.map((word: string) => (/^(data|absent)$/.test(word) ? at(word) : word))
        const ran = await run(['backup', ...given])
        assert.equal(ran.exit, exit, ran.stderr)
        assert.match(lineOf(ran, 'error: '), says)
        if (name !== 'has a log name that is none') assert.ok(!fs.existsSync(at('.grid')))
      })
    }
  })

  it('in a dry run says what would be stored, and makes no home', async () => {
    const ran = await backUp('--dry-run')
    assert.equal(ran.exit, 0, ran.stderr)
    assert.match(ran.stdout, /^new .*data\/a$/m)
    assert.ok(!fs.existsSync(at('.grid')))
    assert.equal((await backUp()).exit, 0)
    write('data/c')
    const next = await backUp('--dry-run')
    assert.match(next.stdout, /^new .*data\/c$/m)
    assert.match((await run(['snapshots'])).stderr, /1 snapshot$/m)
  })

  it('leaves out what is excluded', async () => {
    write('data/a.o')
    write('data/cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n')
    write('data/cache/x')
    write('data/mark/.nobackup', '')
    write('data/mark/y')
    write('data/build/z')
    write('patterns', '# what is made\nbuild/\n')
    const marks = ['--exclude-caches', '--exclude-if-present', '.nobackup']
    const ran = await backUp('-e', '*.o', '--exclude-file', at('patterns'), ...marks)
    assert.equal(ran.exit, 0, ran.stderr)
    const kept = ['a', 'cache', 'cache/CACHEDIR.TAG', 'deep', 'deep/b', 'mark', 'mark/.nobackup']
    assert.deepEqual(await restored(), kept)
  })

  it('takes paths from a list, in a file or by standard input', async () => {
    write('list', `${at('data/a')}\n${at('data/deep')}\n`)
    const stdin = (async function* (): AsyncGenerator<Uint8Array> {
      yield fs.readFileSync(at('list'))
    })()
    for (const [file, given] of [
      [at('list'), {}],
      ['-', { stdin }],
    ] as const) {
      const ran = await run(['backup', '--files-from', file], given)
      assert.equal(ran.exit, 0, ran.stderr)
      const { exit, stderr } = await run(['restore', 'latest', at('back')])
      assert.equal(exit, 0, stderr)
      assert.deepEqual(fs.readdirSync(at('back')).sort(), ['a', 'deep'])
      fs.rmSync(at('back'), { recursive: true })
    }
  })

  it('stays on one file system if that is asked for', async function () {
    const [inside, outside] = ['/dev', '/dev/shm']
    const isOther = fs.existsSync(outside) && fs.statSync(inside).dev !== fs.statSync(outside).dev
    if (!isOther) {
      console.log('      NOT TESTED HERE: /dev/shm is no file system of its own')
      this.skip()
    }
    const folder = fs.mkdtempSync(`${outside}/grid-other-`)
    fs.writeFileSync(path.join(folder, 'file'), 'x')
    try {
      const { stdout: all } = await run(['backup', '--dry-run', inside])
      const { stdout: one } = await run(['backup', '--dry-run', '-x', inside])
      assert.ok(all.includes(path.basename(folder)))
      assert.ok(!one.includes(path.basename(folder)))
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })

  it('marks snapshots, by which they are found', async () => {
    assert.equal((await backUp('-t', 'daily', '-n', 'mine', '--host', 'attic')).exit, 0)
    assert.equal((await backUp('-t', 'weekly')).exit, 0)
    const { stdout } = await run(['snapshots', '--tag', 'daily'])
    assert.match(stdout, /^\S+ {2}\S+ \S+ {2}\S+:1 {2}attic {2}mine {2}\[daily\] {2}/)
    assert.equal(stdout.trimEnd().split('\n').length, 1)
  })

  it('keeps what another program writes, as a file', async () => {
    const content = Buffer.alloc(300_000, 'some rows of a table\n')
    const stdin = (async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < content.length; i += 70_000) yield content.subarray(i, i + 70_000)
    })()
    const ran = await run(['backup', '-', '--stdin-name', 'shop.sql'], { stdin })
    assert.equal(ran.exit, 0, ran.stderr)
    assert.equal((await run(['restore', 'latest:shop.sql', at('back.sql')])).exit, 0)
    assert.ok(fs.readFileSync(at('back.sql')).equals(content))
  })
})
