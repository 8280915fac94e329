import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import decodeQR from 'qr/decode.js'
import { defaultLogName, Keyring } from '../../src/backup/keys/keyring.ts'
import { readKit } from '../../src/backup/keys/recovery-kit.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { noTrace } from '../../src/base/trace.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { formatCap } from '../../src/caps/text.ts'
import { openBackupLog } from '../../src/cli/backup-log.ts'
import type { Context } from '../../src/cli/command.ts'
import type { World } from '../../src/cli/world.ts'
import { homeAt } from '../../src/node/home/home.ts'
import { makeHome, openGrid } from '../../src/node/open-grid.ts'
import { capOfDirectory } from '../../src/tree/directory-cap.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import { lit } from '../tree/entries.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

let directory: string
const at = (...names: string[]): string => path.join(directory, ...names)

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function run(home: string, words: string[], given: Partial<World> = {}): Promise<Transcript> {
  const world = fakeWorld({ userDirectory: directory, ...given })
  const transcript = await grid([...words, '--home', at(home), '--log-file', 'x'], world)
  // whatever it came to, and whoever reads the log
  assert.ok(world.logs.length > 0)
  for (const line of [...world.logs, transcript.stderr]) {
    assert.doesNotMatch(line, /URI:(?!…)|[a-z2-7]{52}|(\b[a-z2-7]{4} ){5}/, words.join(' '))
  }
  return transcript
}

/** What a command that succeeds says. */
async function say(home: string, words: string[], given: Partial<World> = {}): Promise<Transcript> {
  const transcript = await run(home, words, given)
  assert.equal(transcript.exit, 0, `${words.join(' ')}: ${transcript.stderr}`)
  return transcript
}

const keyringOf = (home: string): Keyring =>
  new Keyring({ home: homeAt(at(home)), disk: new SystemDisk(), random: new SystemRandom() })

/** Adds a snapshot of `/home/ann/data` to the log of a home. */
async function backUp(home: string, host = 'attic'): Promise<void> {
  const opened = await openGrid({ home: at(home) })
  try {
    const { append } = await keyringOf(home).get(defaultLogName)
    const ref = await opened.trees.write((writer) => writeDirectory(writer, [lit('data')]))
    await opened.logs.append(append!, {
      ...{ cap: capOfDirectory(ref), host, label: '', paths: [utf8('/home/ann/data')] },
      ...{ tool: 'test', partial: false },
      totals: { bytes: 4, files: 1, directories: 1, objects: 1 },
      run: { root: utf8('/home/ann'), tags: [], startedMs: 1, addedBytes: 4, sentBytes: 4 },
    })
  } finally {
    await opened.close()
  }
}

/** What is in the newest directory of the log. */
async function listNewest(home: string): Promise<string> {
  const { read } = await keyringOf(home).get(defaultLogName)
  const words = ['log', 'read', '--cap-stdin', '--last', '1', '--caps']
  const { stdout } = await say(home, words, { stdin: pieces(formatCap(read!)) })
  return (await say(home, ['ls', stdout.trim()])).stdout
}

describe('backup init, keys paper and recover', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-recover-'))
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('makes a home that may only add to its log, and prints the kit once', async () => {
    const { stdout, stderr } = await say('one', ['backup', 'init', '--device', 'laptop'])
    assert.match(stdout, /^GRID RECOVERY KIT/)
    assert.match(stderr, /lost with its disk/)
    const { append, read, admin } = await keyringOf('one').get('backup')
    assert.ok(append !== undefined)
    assert.deepEqual([read, admin], [undefined, undefined])
    const names = await fs.readdir(at('one'), { recursive: true, withFileTypes: true })
    for (const each of names.filter((entry) => entry.isFile())) {
      const text = await fs.readFile(path.join(each.parentPath, each.name), 'latin1')
      assert.doesNotMatch(text, /LOG-(Admin|Read)/, each.name)
    }
    const again = await run('one', ['backup', 'init'])
    assert.equal(again.exit, 1)
    assert.match(again.stderr, /there is a backup log backup already/)
    const moved = await run('one', ['backup', 'init', '--log', 'x', '--disks', at('d')])
    assert.match(moved.stderr, /leave --disks out/)
    await say('one', ['backup', 'init', '--log', 'photos', '--read'])
    const photos = await keyringOf('one').get('photos')
    assert.ok(photos.read !== undefined && photos.admin === undefined)
  })

  it('recovers from the kit alone, from disks that are somewhere else in part', async () => {
    const disks = ['--disks', at('a'), '--disks', at('b c')]
    const { stdout: kit } = await say('one', ['backup', 'init', ...disks])
    await backUp('one')
    await backUp('one', 'cellar')
    await fs.rm(at('one'), { recursive: true })

    const { stdout } = await say('two', ['recover'], { stdin: pieces('Dear Ann,\n', kit, '\nBye') })
    assert.match(stdout, /^2 snapshots of 2 hosts: cellar, attic\n/)
    assert.match(stdout, /\nthe newest: .* cellar, \/home\/ann\/data, 4 B\n/)
    assert.match(stdout, /\nnext: grid restore latest:data DEST\n$/)
    const { append, read, admin } = await keyringOf('two').get('backup')
    assert.deepEqual([append, admin], [undefined, undefined])
    assert.ok(read !== undefined)
    assert.equal(await listNewest('two'), 'data\n')
    await say('two', ['snapshots', '--plot', at('plot.svg')])
    assert.match(await fs.readFile(at('plot.svg'), 'utf8'), /^<svg.*>attic<.*>cellar</s)
    assert.equal((await run('two', ['snapshots', '--plot', at('plot.svg')])).exit, 1)
    await fs.rm(at('plot.svg'))
    const audit = await run('two', ['log', 'audit', '--cap-stdin'], {
      stdin: pieces(formatCap(read)),
    })
    assert.equal(audit.exit, 0, audit.stdout)
    assert.match(`${audit.stdout}${audit.stderr}`, /^FRESH/m)

    // again, to let this machine in: the home that is there has the same grid
    await fs.writeFile(at('kit'), kit, { mode: 0o600 })
    const { stderr } = await say('two', ['recover', at('kit'), '--device', 'newbox'])
    assert.match(stderr, /"newbox" may add backups/)
    await backUp('two', 'newbox')
    const third = await say('three', ['recover', at('kit'), '--admin', '--json'])
    assert.deepEqual(
      third.lines().map(({ snapshots, hosts }) => [snapshots, hosts]),
      [
        [3, ['newbox', 'cellar', 'attic']],
        [3, undefined],
      ],
    )
    assert.ok((await keyringOf('three').get('backup')).admin !== undefined)

    // one disk is dead, and the other has moved
    await fs.rename(at('b c'), at('moved'))
    await fs.rm(at('a'), { recursive: true })
    const gone = await run('four', ['recover', at('kit')])
    assert.equal(gone.exit, 1)
    assert.match(gone.stderr, /none of the disks.*\n.*--disks DIR/)
    assert.deepEqual(await fs.readdir(directory), ['kit', 'moved', 'three', 'two'])
    const found = await run('four', ['recover', at('kit'), '--disks', at('moved')])
    assert.equal(found.exit, 0, found.stderr)
    assert.match(found.stdout, /^3 snapshots/)
    assert.match(found.stderr, /STALE-POSSIBLE/)
    const late = await run('five', ['recover', at('kit'), '--disks', at('moved'), '--device', 'x'])
    assert.equal(late.exit, 5)
    assert.match(late.stderr, /takes no more entries.*\n(cause.*\n)?try: .*backup init --log NAME/)
    assert.deepEqual(await keyringOf('five').names(), ['backup'])
    await say('five', ['backup', 'init', '--log', 'new', '--read'])
  })

  it('refuses a kit that is wrong, and makes nothing', async () => {
    const { stdout: kit } = await say('one', ['backup', 'init'])
    const wrong = kit.replace(/(?<=Admin:\s+\S\S\S)\S/, (c) => (c === 'a' ? 'b' : 'a'))
    const { exit, stderr } = await run('two', ['recover'], { stdin: pieces(wrong) })
    assert.equal(exit, 2)
    assert.match(stderr, /line 1 of the kit/)
    assert.deepEqual(await fs.readdir(directory), ['one'])
    const other = await run('one', ['recover', '--disks', at('one', 'storage')], {
      stdin: pieces(kit),
    })
    assert.match(other.stderr, /is a grid home already/)
  })

  it('takes the admin cap off once its owner shows that it is on paper', async () => {
    await say('one', ['backup', 'init', '--read'])
    const missing = await run('one', ['keys', 'paper'])
    assert.equal(missing.exit, 8)
    await fs.rm(at('one'), { recursive: true })

    const context = await contextOf('one')
    const opened = await openGrid({ home: at('one') })
    const caps = await openBackupLog(context, opened)
    assert.deepEqual(await openBackupLog(context, opened), caps)
    await opened.close()
    const kept = await keyringOf('one').get('backup')
    assert.deepEqual(kept, caps)
    assert.ok(kept.admin !== undefined)

    const granted = await say('one', ['log', 'grant', '--log', 'backup', '--device', 'x'])
    assert.match(granted.stdout, /^URI:LOG-Append:/)
    const nobody = await run('one', ['keys', 'paper', '--remove-admin'])
    assert.equal(nobody.exit, 2)
    assert.equal(nobody.stdout, '')
    const wrong = await run('one', ['keys', 'paper', '--remove-admin'], {
      ask: async () => 'aaaaaa',
    })
    assert.match(wrong.stderr, /nothing was taken off/)
    assert.deepEqual(await keyringOf('one').get('backup'), caps)

    const { lines } = await say('one', ['keys', 'paper', '--json'])
    const { cap, location } = lines().find((line) => line.cap !== undefined)!
    const letters = String(cap).slice(-6).toUpperCase()
    const ask = async (question: string): Promise<string> => {
      assert.doesNotMatch(question, new RegExp(letters, 'i'))
      return ` ${letters.slice(0, 3)} ${letters.slice(3)}`
    }
    const done = await say('one', ['keys', 'paper', '--remove-admin'], { ask })
    assert.match(done.stderr, /is off this machine, which can add to the log and read it now/)
    assert.equal((await run('one', ['log', 'grant', '--log', 'backup', '--device', 'y'])).exit, 8)
    const { append, read } = caps
    assert.deepEqual(await keyringOf('one').get('backup'), { append, read, admin: undefined })

    const input = pieces(`${String(location)}\n${String(cap)}`)
    await say('two', ['recover'], { stdin: input })
    assert.deepEqual(await keyringOf('two').get('backup'), {
      ...{ append: undefined, read, admin: undefined },
    })
  })

  it('draws the two lines so that a reader of QR codes has them', async () => {
    const context = await contextOf('one')
    const opened = await openGrid({ home: at('one') })
    await openBackupLog(context, opened)
    await opened.close()
    const words = ['keys', 'paper', '--qr', '--svg', at('kit.svg'), '--page', at('kit.html')]
    const { stdout } = await say('one', words)
    const { lines } = await say('one', ['keys', 'paper', '--json'])
    const { cap, location } = lines().find((line) => line.cap !== undefined)!
    const wanted = `${String(cap)}\n${String(location)}`
    const rows = stdout.split('\n').filter((line) => /^[█▀▄ ]{30,}$/.test(line))
    assert.equal(decodeQR(imageOfBlocks(rows)), wanted)
    const svg = await fs.readFile(at('kit.svg'), 'utf8')
    assert.equal(decodeQR(imageOfSvg(svg)), wanted)
    const page = await fs.readFile(at('kit.html'), 'utf8')
    assert.ok(page.includes(svg.trim()))
    assert.doesNotMatch(page, /<script|src=|href=/)
    assert.equal((await fs.stat(at('kit.svg'))).mode & 0o777, 0o600)
    assert.equal((await fs.stat(at('kit.html'))).mode & 0o777, 0o600)
    assert.equal((await run('one', words)).exit, 1, 'replaces nothing')
  })

  it('lets several machines back up into one log, each by its own cap', async () => {
    const disks = ['--disks', at('d')]
    const { stdout: kit } = await say('one', ['backup', 'init', ...disks])
    const admin = formatCap(readKit(kit).cap)
    const grant = ['log', 'grant', '--device', 'second', '--cap-stdin']
    const { stdout: cap } = await say('one', grant, { stdin: pieces(admin) })
    await fs.writeFile(at('cap'), cap, { mode: 0o600 })
    await say('two', ['backup', 'init', '--append-cap-file', at('cap'), ...disks])
    await backUp('one', 'first')
    await backUp('two', 'second')
    const { stdout } = await say('three', ['recover'], { stdin: pieces(kit) })
    assert.match(stdout, /^2 snapshots of 2 hosts: second, first\n/)
    await say('one', ['log', 'revoke', 'second', '--cap-stdin'], { stdin: pieces(admin) })
    const late = await run('four', ['backup', 'init', '--append-cap-file', at('cap'), ...disks])
    assert.equal(late.exit, 8)
    assert.deepEqual(await keyringOf('four').names(), [])
  })
})

/** A context as the runner would make it, of a home that is made. */
async function contextOf(home: string): Promise<Context> {
  await makeHome(at(home))
  const world = fakeWorld()
  const output = { note: () => {}, warning: async () => {} } as unknown as Context['output']
  const { signal } = world
  return {
    ...{ world, output, signal, home: homeAt(at(home)), trace: noTrace, commands: [] },
    progress: undefined as unknown as Context['progress'],
  }
}

interface Image {
  width: number
  height: number
  data: Uint8Array
}

const scale = 4

/** Pixels of rows of modules, true for dark. */
function imageOf(modules: boolean[][]): Image {
  const [height, width] = [modules.length * scale, modules[0].length * scale]
  const data = new Uint8Array(width * height * 3).fill(255)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!modules[Math.floor(y / scale)][Math.floor(x / scale)]) continue
      data.fill(0, (y * width + x) * 3, (y * width + x) * 3 + 3)
    }
  }
  return { width, height, data }
}

/** On a dark terminal what is drawn is light. */
function imageOfBlocks(rows: string[]): Image {
  return imageOf(
    rows.flatMap((row) => [
      Array.from(row, (block) => block !== '█' && block !== '▀'),
      Array.from(row, (block) => block !== '█' && block !== '▄'),
    ]),
  )
}

/** Of the picture's own squares, each `M x y` or `m dx dy` from the one before. */
function imageOfSvg(svg: string): Image {
  const size = Number(/viewBox="0 0 (\d+)/.exec(svg)![1])
  const modules = Array.from({ length: size }, () => new Array<boolean>(size).fill(false))
  let [x, y] = [0, 0]
  for (const [, move, dx, dy] of svg.matchAll(/([Mm])(-?\d+)[ ,]?(-?\d+)h1v1/g)) {
    x = Number(dx) + (move === 'm' ? x : 0)
    y = Number(dy) + (move === 'm' ? y : 0)
    modules[y][x] = true
  }
  return imageOf(modules)
}
