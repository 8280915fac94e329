import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { GridError } from '../../src/base/errors.ts'
import { version } from '../../src/base/version.ts'
import type { World } from '../../src/cli/world.ts'
import { parseConfig } from '../../src/node/home/config.ts'
import { homeAt, openHome, readConfig } from '../../src/node/home/home.ts'
import { identityOf } from '../../src/node/home/identity.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

const readCap =
  'URI:CHK:gcu6uftl422kn6n562zydmfcgaxczad7qire7qw3sgfxriixcblq:' +
  'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta:3:10:2000:gcybiw'
const verifyCap =
  'URI:CHK-Verifier:sgjukn22qll3mjcyrio7hu6dbczifiiglakdenoapb3fypznvg7a:' +
  'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta:3:10:0:47hjqv'

let directory: string

/** Runs a line in a world whose user lives in a fresh directory. */
function run(line: string, given: Partial<World> = {}): Promise<Transcript> {
  const words = line.split(' ').filter((word) => word !== '')
  return grid(words, fakeWorld({ userDirectory: directory, ...given }))
}

async function* stdin(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

describe('command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-cli-'))
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('lists the commands', async () => {
    for (const line of ['--help', '-h', 'help']) {
      const { exit, stdout, stderr } = await run(line)
      assert.equal(exit, 0)
      assert.match(stdout, /^grid keeps files.*\nUsage: grid COMMAND.*\n {2}cap inspect {2}/s)
      assert.equal(stderr, '')
    }
    assert.equal((await run('')).exit, 2)
  })

  it('says its version', async () => {
    const { version: packaged } = JSON.parse(await fs.readFile('package.json', 'utf8')) as {
      version: string
    }
    assert.equal(version, packaged)
    for (const line of ['version', '--version']) {
      assert.ok((await run(line)).stdout.startsWith(`grid ${packaged} (Node `))
    }
  })

  it('refuses a line that it does not understand, and says where to look', async () => {
    const refused: [line: string, error: string, hint: string][] = [
      ['pit', 'there is no command "pit"', 'grid help'],
      ['--json=yes version', "unknown option '--json=yes'", 'grid help version'],
      [
        'node',
        'node: expected one of init, run, status, drain, scrub, sweep, purge, downgrade, id',
        'grid help',
      ],
      [
        'node walk',
        'node: expected one of init, run, status, drain, scrub, sweep, purge, downgrade, id',
        'grid help',
      ],
      ['--quiet', 'there is no command', 'grid help'],
      ['node id --jsn', "unknown option '--jsn' (Did you mean --json?)", 'grid help node id'],
      ['version --timeout soon', '--timeout: "soon" is not a time like 30s', 'grid help version'],
      [
        'version --color red',
        '--color: "red" is not one of auto, always, never',
        'grid help version',
      ],
      ['cap attenuate X --to CHK2', '--to: "CHK2" is not one of CHK, ', 'grid help cap attenuate'],
    ]
    for (const [line, error, hint] of refused) {
      const { exit, stdout, stderr } = await run(line)
      assert.equal(exit, 2, line)
      assert.equal(stdout, '')
      assert.ok(stderr.startsWith(`error: ${error}`), stderr)
      assert.ok(stderr.endsWith(`\ntry: run: ${hint}\n`), stderr)
    }
  })

  it('takes options of every command before, between and behind its words', async () => {
    for (const line of [
      '--json --home H node id',
      'node --home H id --json',
      'node id --json --home H',
    ]) {
      const { exit, lines } = await run(line.replace('H', path.join(directory, 'none')))
      assert.equal(exit, 10)
      assert.equal(lines()[0]?.code, 'E_NOT_INITIALISED')
    }
  })

  it('takes options from the environment, after those of the line', async () => {
    const env = { GRID_HOME: path.join(directory, 'env'), GRID_JSON: '1', GRID_QUIET: '0' }
    assert.equal((await run('init', { env })).exit, 0)
    assert.equal((await run('node id', { env })).lines()[1]?.type, 'summary')
    const other = await run(`node id --home ${directory}/none`, { env })
    assert.equal(other.lines()[0]?.code, 'E_NOT_INITIALISED')
    assert.match((await run('version', { env: { GRID_TIMEOUT: 'x' } })).stderr, /GRID_TIMEOUT: "x"/)
  })

  it('makes a home, once', async () => {
    const made = await run('init --nickname attic')
    assert.equal(made.exit, 0)
    assert.equal(made.stdout, '')
    const home = homeAt(path.join(directory, '.grid'))
    const { id } = identityOf((await openHome(home)).identitySeed)
    assert.equal((await run('node id')).stdout, `${id}\n`)
    const config = parseConfig(await readConfig(home), [], home.path)
    assert.equal(config.node.nickname, 'attic')
    assert.equal(config.storage.enabled, false)
    const again = await run('init')
    assert.equal(again.exit, 1)
    assert.match(again.stderr, /^error: .* is a grid home already\ntry: /)
    assert.equal((await run('node id')).stdout, `${id}\n`)
  })

  it('makes the home of a node as its flags say', async () => {
    const shares = path.join(directory, 'shares')
    const made = await run(
      `node init --storage ${shares} --reserve 2GiB --listen /ip4/1.2.3.4/tcp/1`,
    )
    assert.equal(made.exit, 0)
    const home = homeAt(path.join(directory, '.grid'))
    const { node, storage } = parseConfig(await readConfig(home), [], home.path)
    assert.deepEqual(node.listen, ['/ip4/1.2.3.4/tcp/1'])
    assert.deepEqual(storage, {
      enabled: true,
      reserveBytes: 2 ** 31,
      readOnly: false,
      directory: shares,
      leaseDays: 365,
      quarantineDays: 30,
    })
  })

  it('makes no home of wrong settings, and names the flag', async () => {
    const { exit, stderr } = await run('node init --reserve 10GB! --peer x')
    assert.equal(exit, 2)
    assert.match(
      stderr,
      /^error: --peer: "x" is not an address like .*\ncause: --reserve: "10GB!" is /,
    )
    assert.equal((await run('node id')).exit, 10)
  })

  it('prints the address of an introducer', async () => {
    const { stdout } = await run('introducer init --announce /dns4/intro.example/tcp/7781')
    assert.match(stdout, /^\/dns4\/intro\.example\/tcp\/7781\/p2p\/12D3KooW\w{44}\n$/)
  })

  it('refuses to use keys that others could read', async () => {
    await run('init')
    await fs.chmod(path.join(directory, '.grid', 'private', 'identity.key'), 0o640)
    const { exit, stderr } = await run('node id')
    assert.equal(exit, 1)
    assert.match(stderr, /identity\.key is open to others \(mode 640\)\ntry: run: chmod 600 /)
  })

  it('says what a cap is, and no more', async () => {
    const { stdout } = await run(`cap inspect ${readCap}`)
    assert.match(stdout, /^type: +CHK\nrights: +read, verify\nstorage index: id7eq4bj\w{24}\n/)
    assert.ok(!stdout.includes('gcu6uftl'))
    const [item, summary] = (await run(`cap inspect --json ${readCap}`)).lines()
    assert.equal(item?.capType, 'CHK')
    assert.equal(item.sizeBytes, 2000)
    assert.deepEqual(summary, { v: 1, type: 'summary', capType: 'CHK' })
  })

  it('makes a weaker cap', async () => {
    assert.equal((await run(`cap attenuate ${readCap}`)).stdout, `${verifyCap}\n`)
    assert.match(
      (await run(`cap attenuate --compact ${readCap}`)).stdout,
      /^gchkverifier1[a-z2-7]+\n$/,
    )
    assert.equal((await run(`cap attenuate ${verifyCap}`)).exit, 8)
    assert.equal((await run(`cap attenuate --to LOG-Read ${readCap}`)).exit, 8)
  })

  it('takes a cap from a file or standard input', async () => {
    const file = path.join(directory, 'cap')
    await fs.writeFile(file, `${readCap}\n`)
    const shown = [
      await run(`cap attenuate --cap-file ${file}`),
      await run('cap attenuate --cap-stdin', {
        stdin: stdin(readCap.slice(0, 50), readCap.slice(50)),
      }),
    ]
    for (const { stdout } of shown) assert.equal(stdout, `${verifyCap}\n`)
    const wrong: [line: string, exit: number][] = [
      ['cap inspect', 2],
      [`cap inspect ${readCap} ${readCap}`, 2],
      [`cap inspect ${readCap} --cap-stdin`, 2],
      [`cap inspect --cap-stdin --cap-file ${file}`, 2],
      [`cap inspect --cap-file ${file}x`, 1],
      ['cap inspect --cap-file /dev/null', 2],
    ]
    for (const [line, exit] of wrong) {
      assert.equal((await run(line, { stdin: stdin(readCap) })).exit, exit, line)
    }
    const long = await run('cap inspect --cap-stdin', {
      stdin: stdin('x'.repeat(4000), 'x'.repeat(4000)),
    })
    assert.match(long.stderr, /too long for a cap/)
  })

  it('shows no cap in a message or a log, however it went wrong', async () => {
    const lines = [`cap inspect ${readCap}x`, `pit ${readCap}`, readCap, `version ${readCap}`]
    lines.push(`version --home ${readCap} --color ${readCap}`, `cap inspect --cap-file ${readCap}`)
    lines.push(
      `init --peer ${readCap}`,
      `node id --home /${readCap}`,
      `cap attenuate --to ${readCap} x`,
    )
    for (const line of lines) {
      for (const more of ['', ' --json', ' -v']) {
        const world = fakeWorld({ userDirectory: directory })
        const { exit, stdout, stderr } = await grid(
          `${line} --log-file log${more}`.split(' '),
          world,
        )
        assert.notEqual(exit, 0)
        const shown = [stdout, stderr, ...world.logs].join('\n')
        assert.ok(!/gcu6u|ftl422kn|ixcblq/i.test(shown), shown)
        assert.ok(shown.includes('‹cap') || !stderr.includes('URI'), shown)
      }
    }
  })

  it('sends nothing to the terminal that could confuse it', async () => {
    const { stderr } = await grid(['node', 'id', '--home', '/x\u001b[2J\ny\u202e'])
    assert.equal(
      stderr,
      'error: there is no grid home at /x·[2J·y·\ntry: run: grid init, or for a server: grid node init, grid introducer init\n',
    )
  })

  it('says of a system error what it means, and of a file of several caps that one is needed', async () => {
    const none = await grid(['cap', 'inspect', '--cap-file', '/nonexistent'])
    assert.equal(none.stderr, 'error: cannot read /nonexistent: no such file or directory\n')
    const file = path.join(directory, 'caps')
    await fs.writeFile(file, 'URI:LIT:x\n\nURI:x\n')
    const two = await grid(['cap', 'inspect', '--cap-file', file])
    assert.match(two.stderr, /^error: \S+ holds 2 caps, and one is needed\ntry: [^\n]+\n$/)
    assert.equal(two.exit, 2)
  })

  it('lists the commands that share a first word', async () => {
    const { exit, stdout } = await grid(['help', 'log'])
    assert.equal(exit, 0)
    for (const name of ['create', 'grant', 'check'])
      assert.match(stdout, new RegExp(`log ${name} `))
    assert.doesNotMatch(stdout, /alias/)
    assert.equal((await grid(['help', 'lo'])).exit, 2)
  })

  it('logs what happened, with the time', async () => {
    const world = fakeWorld({ userDirectory: directory })
    await grid(['init', '--log-file', 'log', '-v'], world)
    const events = world.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      events.map(({ event }) => event),
      ['start', 'home made', 'end'],
    )
    assert.deepEqual(events[2], { time: '1970-01-01T00:00:00.000Z', event: 'end', exit: 0 })
    for (const line of world.logs) assert.ok(world.stderr.text.includes(`${line}\n`))
  })

  it('stops at the deadline, and when it is told to', async () => {
    const hanging = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }
    const world = fakeWorld({ stdin: hanging })
    const timedOut = grid(['cap', 'inspect', '--cap-stdin', '--timeout', '30s'], world)
    while (world.clock.timerCount === 0) await new Promise(setImmediate)
    world.clock.advance(29_999)
    assert.equal(world.stderr.text, '')
    world.clock.advance(1)
    assert.equal((await timedOut).exit, 9)
    assert.match(world.stderr.text, /^error: not done after 30 s\n/)

    const stop = new AbortController()
    const stopped = run('cap inspect --cap-stdin', { stdin: hanging, signal: stop.signal })
    stop.abort(new GridError('E_INTERRUPTED', 'stop'))
    assert.equal((await stopped).exit, 130)
  })

  it('says nothing when nobody reads any more', async () => {
    const world = fakeWorld()
    world.stdout.isBroken = true
    assert.deepEqual((await grid(['version'], world)).exit, 130)
    assert.equal(world.stderr.text, '')
  })

  it('paints on a terminal only, and not against the wish of the user', async () => {
    const painted = async (line: string, given: object): Promise<boolean> => {
      const world = fakeWorld({ userDirectory: directory, ...given })
      return (await grid(line.split(' '), world)).stderr.includes('\u001b[')
    }
    assert.equal(await painted('node id', {}), false)
    assert.equal(await painted('node id --color always', {}), true)
    assert.equal(await painted('node id', { isTerminal: true }), true)
    assert.equal(await painted('node id --color never', { isTerminal: true }), false)
    assert.equal(await painted('node id', { isTerminal: true, env: { NO_COLOR: '1' } }), false)
  })
})
