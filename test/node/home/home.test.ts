import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../../src/base/base32.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { lockHome } from '../../../src/node/home/home-lock.ts'
import { type Home, homeAt, initHome, openHome, readConfig } from '../../../src/node/home/home.ts'

const system = new SystemRandom()
const random = { bytes: (length: number) => Uint8Array.from(system.bytes(length)) }
const config = '[node]\n'
let directory: string
let home: Home

async function setUp(): Promise<void> {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-home-'))
  home = homeAt(path.join(directory, 'new', 'home'))
}

async function tearDown(): Promise<void> {
  await fs.rm(directory, { recursive: true })
}

async function modeOf(...names: string[]): Promise<string> {
  const { mode } = await fs.stat(path.join(home.path, ...names))
  return (mode & 0o777).toString(8)
}

describe('home', () => {
  beforeEach(setUp)
  afterEach(tearDown)

  it('is not there before init', async () => {
    await assert.rejects(openHome(home), (error) => {
      assert.ok(isGridError(error, 'E_NOT_INITIALISED'))
      assert.equal(
        error.hint,
        'run: grid init, or for a server: grid node init, grid introducer init',
      )
      return true
    })
  })

  it('keeps its secrets and its config', async () => {
    const secrets = await initHome(home, { config, random })
    assert.deepEqual(await openHome(home), secrets)
    assert.equal(await readConfig(home), config)
    assert.notDeepEqual(secrets.identitySeed, secrets.convergenceSecret)
    assert.deepEqual((await fs.readdir(home.path)).sort(), [
      'config.toml',
      'format',
      'leases',
      'private',
    ])
  })

  it('is for its owner alone, whatever the umask', async () => {
    const before = process.umask(0)
    try {
      await initHome(home, { config, random })
    } finally {
      process.umask(before)
    }
    assert.equal(await modeOf(), '700')
    assert.equal(await modeOf('private'), '700')
    assert.equal(await modeOf('private', 'identity.key'), '600')
    assert.equal(await modeOf('private', 'convergence.secret'), '600')
  })

  it('is made once', async () => {
    const secrets = await initHome(home, { config, random })
    await assert.rejects(initHome(home, { config, random }), (e) => isGridError(e, 'E_EXISTS'))
    assert.deepEqual(await openHome(home), secrets)
  })

  it('is made by one of two that try at once', async () => {
    const tries = await Promise.allSettled([
      initHome(home, { config, random }),
      initHome(home, { config, random }),
    ])
    const [made] = tries.filter((one) => one.status === 'fulfilled')
    assert.deepEqual(await openHome(home), made?.value)
    assert.deepEqual((await fs.readdir(home.path)).sort(), [
      'config.toml',
      'format',
      'leases',
      'private',
    ])
  })

  it('can be made again after an attempt that was cut short', async () => {
    await fs.mkdir(home.path, { recursive: true })
    await fs.writeFile(home.config, config)
    await initHome(home, { config, random })
    await openHome(home)
  })

  it('leaves a config.toml of the owner alone', async () => {
    await fs.mkdir(home.path, { recursive: true })
    await fs.writeFile(home.config, '[grid]\n')
    await assert.rejects(initHome(home, { config, random }), (e) => isGridError(e, 'E_EXISTS'))
    assert.equal(await readConfig(home), '[grid]\n')
  })

  it('cannot be made where a file stands', async () => {
    await fs.writeFile(path.join(directory, 'new'), '')
    await assert.rejects(initHome(home, { config, random }), (e) => isGridError(e, 'E_IO'))
  })

  it('refuses secrets that any other may read, write or enter', async () => {
    await initHome(home, { config, random })
    await fs.writeFile(path.join(home.private, 'other'), '', { mode: 0o600 })
    for (const name of ['.', 'identity.key', 'convergence.secret', 'other']) {
      const at = path.join(home.private, name)
      const wanted = name === '.' ? 0o700 : 0o600
      for (let bit = 1; bit <= 0o40; bit *= 2) {
        await fs.chmod(at, wanted | bit)
        await assert.rejects(openHome(home), (error) => {
          assert.ok(isGridError(error, 'E_PERMISSIONS'))
          assert.equal(error.hint, `run: chmod ${wanted.toString(8)} '${path.resolve(at)}'`)
          return true
        })
      }
      await fs.chmod(at, wanted)
      await openHome(home)
    }
  })

  it('refuses a secret that is none', async () => {
    const texts = ['', 'x', toBase32(new Uint8Array(32)), toBase32(new Uint8Array(31).fill(1))]
    texts.push(toBase32(new Uint8Array(33).fill(1)), 'a'.repeat(2000))
    await initHome(home, { config, random })
    for (const name of ['identity.key', 'convergence.secret']) {
      const at = path.join(home.private, name)
      const good = await fs.readFile(at, 'utf8')
      for (const text of texts) {
        await fs.writeFile(at, text)
        await assert.rejects(openHome(home), (e) => isGridError(e, 'E_CONFIG'))
      }
      await fs.rm(at)
      await assert.rejects(openHome(home), (e) => isGridError(e, 'E_CONFIG'))
      await fs.writeFile(at, good, { mode: 0o600 })
      await openHome(home)
    }
  })

  it('misses its config.toml', async () => {
    await assert.rejects(readConfig(home), (e) => isGridError(e, 'E_CONFIG'))
  })
})

describe('home lock', () => {
  beforeEach(async () => {
    await setUp()
    await initHome(home, { config, random })
  })
  afterEach(tearDown)

  it('lets one in at a time', async () => {
    const lock = await lockHome(home)
    await assert.rejects(lockHome(home), (error) => {
      assert.ok(isGridError(error, 'E_LOCKED'))
      assert.deepEqual(error.facts, { pid: process.pid })
      return true
    })
    await lock.release()
    const next = await lockHome(home)
    await lock.release()
    await assert.rejects(lockHome(home), (e) => isGridError(e, 'E_LOCKED'))
    await next.release()
    assert.deepEqual((await fs.readdir(home.path)).sort(), [
      'config.toml',
      'format',
      'leases',
      'private',
    ])
  })

  it('lets one in of many that come at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockHome(home)))
    assert.equal(tries.filter((one) => one.status === 'fulfilled').length, 1)
  })

  it('is not held by a process that has ended and that nobody asks about', async function () {
    if (process.platform !== 'linux') this.skip()
    // the first never asks what became of the second
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(line.toString())
      const statOf = async (): Promise<string[]> => {
        const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8')
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      }
      await fs.writeFile(home.lock, `${pid} ${(await statOf())[19]}\n`)
      await assert.rejects(lockHome(home), (error) => isGridError(error, 'E_LOCKED'))
      process.kill(pid, 'SIGKILL')
      while ((await statOf())[0] !== 'Z') await new Promise((resolve) => setImmediate(resolve))
      await (await lockHome(home)).release()
    } finally {
      parent.kill('SIGKILL')
    }
  })

  it('is held by a process that lives', async () => {
    const other = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
    try {
      await once(other, 'spawn')
      const stat = await fs.readFile(`/proc/${other.pid}/stat`, 'utf8')
      const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
      await fs.writeFile(home.lock, `${other.pid} ${start}\n`)
      await assert.rejects(lockHome(home), (e) => isGridError(e, 'E_LOCKED'))
      await fs.writeFile(home.lock, `${other.pid} ${Number(start) - 1}\n`)
      await (await lockHome(home)).release()
    } finally {
      other.kill('SIGKILL')
      await once(other, 'exit')
    }
  })

  it('is taken from a process that is gone, and from a file cut short', async () => {
    const gone = spawn(process.execPath, ['-e', ''])
    await once(gone, 'exit')
    for (const text of [`${gone.pid} 1\n`, '', 'x', '-1 0\n', `${process.pid} 1\n`]) {
      await fs.writeFile(home.lock, text)
      await (await lockHome(home)).release()
    }
  })
})
