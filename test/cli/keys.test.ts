import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { Keyring } from '../../src/backup/keys/keyring.ts'
import { lockKeyFile } from '../../src/backup/keys/key-file.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import type { World } from '../../src/cli/world.ts'
import { homeAt } from '../../src/node/home/home.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

const random = new SystemRandom()
let directory: string
const at = (...names: string[]): string => path.join(directory, ...names)

function run(home: string, words: string[], given: Partial<World> = {}): Promise<Transcript> {
  return grid([...words, '--home', at(home)], fakeWorld({ userDirectory: directory, ...given }))
}

async function say(home: string, words: string[], given: Partial<World> = {}): Promise<Transcript> {
  const transcript = await run(home, words, given)
  assert.equal(transcript.exit, 0, `${words.join(' ')}: ${transcript.stderr}`)
  return transcript
}

async function refused(
  exit: number,
  pattern: RegExp,
  words: string[],
  given: Partial<World> = {},
): Promise<void> {
  const transcript = await run('one', [...words, '-v'], given)
  assert.match(transcript.stderr, pattern)
  assert.equal(transcript.exit, exit, transcript.stderr)
  assert.equal(transcript.stdout, '')
  assert.doesNotMatch(transcript.stderr, /URI:|correct horse|battery/)
}

const keyringOf = (home: string): Keyring =>
  new Keyring({ home: homeAt(at(home)), disk: new SystemDisk(), random })

/** Answers in turn, and keeps the questions. */
function answers(...texts: string[]): { ask: World['ask']; questions: string[] } {
  const questions: string[] = []
  const ask: World['ask'] = async (question, { hidden }) => {
    assert.equal(hidden, true, 'not shown')
    questions.push(question)
    return texts.shift() ?? assert.fail('asked once too often')
  }
  return { ask, questions }
}

describe('keys from the command line', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-keys-'))
    await say('one', ['backup', 'init', '--disks', at('d'), '--read'])
    await say('one', ['backup', 'init', '--log', 'photos'])
    await fs.writeFile(at('pass'), 'correct horse\n')
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('exports under a passphrase and imports on an empty machine', async () => {
    const { ask, questions } = answers('battery', 'battery')
    await say('one', ['keys', 'export', '--out', at('keys')], { ask })
    assert.deepEqual(questions, ['New passphrase: ', 'The same again: '])
    assert.equal((await fs.stat(at('keys'))).mode & 0o777, 0o600)
    assert.doesNotMatch(await fs.readFile(at('keys'), 'utf8'), /URI|photos|log/)

    const open = answers('battery')
    const { stderr } = await say('two', ['keys', 'import', at('keys')], { ask: open.ask })
    assert.deepEqual(open.questions, ['Passphrase: '])
    assert.match(stderr, /for one machine at a time/)
    for (const name of ['backup', 'photos']) {
      assert.deepEqual(await keyringOf('two').get(name), await keyringOf('one').get(name))
    }
    const config = await fs.readFile(at('two', 'config.toml'), 'utf8')
    assert.ok(config.includes(JSON.stringify(at('d'))))
    // again changes nothing; a log of the same name that is another is refused
    await say('two', ['keys', 'import', at('keys')], { ask: answers('battery').ask })
    await fs.rm(at('two', 'private', 'backups', 'photos'))
    await say('two', ['backup', 'init', '--log', 'photos'])
    const before = await keyringOf('two').get('photos')
    const clash = await run('two', ['keys', 'import', at('keys')], { ask: answers('battery').ask })
    assert.match(clash.stderr, /photos is another log here.*\n.*--log photos --as NAME/)
    const words = ['keys', 'import', '--log', 'photos', '--as', 'old', at('keys')]
    await say('two', words, { ask: answers('battery').ask })
    assert.deepEqual(await keyringOf('two').get('photos'), before)
    assert.deepEqual(await keyringOf('two').get('old'), await keyringOf('one').get('photos'))
  })

  it('adds what a file has to what a home has', async () => {
    const plain = ['keys', 'export', '--log', 'backup', '--no-passphrase']
    const { append, read } = await keyringOf('one').get('backup')
    await keyringOf('one').replace('backup', { append: undefined, read, admin: undefined })
    await say('one', [...plain, '--out', at('reading')])
    await keyringOf('one').replace('backup', { append, read: undefined, admin: undefined })
    await say('one', ['keys', 'import', at('reading')])
    assert.deepEqual(await keyringOf('one').get('backup'), { append, read, admin: undefined })
  })

  it('takes the passphrase from a file where there is no terminal', async () => {
    await refused(2, /nobody to ask.*\n.*--passphrase-file/s, ['keys', 'export'])
    const words = ['keys', 'export', '--log', 'photos', '--passphrase-file', at('pass')]
    const { stdout } = await say('one', words)
    assert.match(stdout, /^GRID KEY FILE 1 scrypt 17 8 1 /)
    await fs.writeFile(at('keys'), `> mailed\n${stdout}`)
    await say('two', ['keys', 'import', '--passphrase-file', at('pass'), at('keys')])
    assert.deepEqual(await keyringOf('two').names(), ['photos'])
  })

  it('does not open under another passphrase, and says so', async () => {
    await say('one', ['keys', 'export', '--passphrase-file', at('pass'), '--out', at('keys')])
    const wrong = answers('battery').ask
    await refused(12, /the passphrase does not open/, ['keys', 'import', at('keys')], {
      ask: wrong,
    })
    const differ = answers('battery', 'bettery').ask
    await refused(2, /differ/, ['keys', 'export'], { ask: differ })
    await refused(2, /is empty/, ['keys', 'export'], { ask: answers('').ask })
    await refused(1, /is there already/, ['keys', 'export', '--no-passphrase', '--out', at('keys')])
    const whole = await fs.readFile(at('keys'), 'utf8')
    await fs.writeFile(at('keys'), whole.slice(0, -20))
    await refused(1, /its end is missing/, ['keys', 'import', at('keys')])
    await fs.writeFile(at('keys'), whole.replace('scrypt 17', 'scrypt 40'))
    await refused(1, /more work/, ['keys', 'import', at('keys')])
    await fs.truncate(at('keys'), 2 ** 40)
    await refused(1, /more than 65536 bytes/, ['keys', 'import', at('keys')])
    await fs.writeFile(
      at('keys'),
      await lockKeyFile('URI:LOG-Admin:nonsense', 'x', { random, cost: { logN: 10, r: 1, p: 1 } }),
    )
    const ask = answers('x').ask
    await refused(1, /does not say what key files say/, ['keys', 'import', at('keys')], { ask })
  })

  it('changes the passphrase of a file, or takes it off', async () => {
    await say('one', ['keys', 'export', '--passphrase-file', at('pass'), '--out', at('keys')])
    const words = ['keys', 'passphrase', at('keys')]
    await say('one', words, { ask: answers('correct horse', 'battery', 'battery').ask })
    const old = ['keys', 'import', '--passphrase-file', at('pass'), at('keys')]
    await refused(12, /does not open/, old)
    await fs.writeFile(at('new'), 'battery')
    await say('one', [...words, '--passphrase-file', at('new'), '--no-passphrase'])
    assert.equal((await fs.stat(at('keys'))).mode & 0o777, 0o600)
    await say('two', ['keys', 'import', at('keys')])
    assert.deepEqual(await keyringOf('two').names(), ['backup', 'photos'])
    assert.deepEqual((await fs.readdir(directory)).sort(), [
      'd',
      'keys',
      'new',
      'one',
      'pass',
      'two',
    ])
  })
})
