import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import { type ErrorCode, isGridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import type { Cap } from '../../../src/caps/cap.ts'
import { formatCap } from '../../../src/caps/text.ts'
import { CapFolder, isCapName } from '../../../src/node/home/cap-folder.ts'

const first: Cap = { type: 'LIT', data: Uint8Array.of(1) }
const second: Cap = { type: 'LIT', data: Uint8Array.of(2) }
const whole = (caps: Cap[]): Cap[] => caps

/** What a look at the folder before each step of writing finds under the name. */
class WatchedDisk extends SystemDisk {
  readonly seen: string[] = []
  readonly at: string

  constructor(at: string) {
    super()
    this.at = at
  }

  override async rename(from: string, to: string): Promise<void> {
    await this.#look()
    await super.rename(from, to)
    await this.#look()
  }

  override async syncDirectory(directory: string): Promise<void> {
    await this.#look()
    await super.syncDirectory(directory)
  }

  override async unlink(file: string): Promise<void> {
    await super.unlink(file)
    await this.#look()
  }

  async #look(): Promise<void> {
    this.seen.push(await fs.readFile(this.at, 'utf8').catch(() => 'nothing'))
  }
}

describe('CapFolder', () => {
  let directory = ''
  let folder: CapFolder
  let disk: WatchedDisk

  beforeEach(async () => {
    directory = path.join(await fs.mkdtemp(path.join(os.tmpdir(), 'grid-caps-')), 'caps')
    disk = new WatchedDisk(path.join(directory, 'work'))
    folder = new CapFolder({
      ...{ disk, random: new SystemRandom(), path: directory },
      what: 'a name',
      whenTaken: (name) => `not ${name}`,
    })
  })

  afterEach(() => fs.rm(path.dirname(directory), { recursive: true }))

  const fails = async (code: ErrorCode, work: Promise<unknown>): Promise<void> => {
    await assert.rejects(work, (error) => isGridError(error, code))
  }

  it('is empty before it is made', async () => {
    assert.deepEqual(await folder.names(), [])
    assert.equal(await folder.find('work', whole), undefined)
    await fails('E_USAGE', folder.remove('work'))
    await fails('E_USAGE', folder.replace('work', [first]))
    await assert.rejects(fs.stat(directory))
  })

  it('keeps caps for their owner alone, and leaves nothing beside them', async () => {
    await folder.add('work', [first, second])
    await folder.add('art', [second])
    assert.deepEqual(await folder.names(), ['art', 'work'])
    assert.deepEqual(await folder.find('work', whole), [first, second])
    assert.deepEqual((await fs.readdir(directory)).sort(), ['art', 'work'])
    assert.equal((await fs.stat(path.join(directory, 'work'))).mode & 0o777, 0o600)
    assert.equal((await fs.stat(directory)).mode & 0o777, 0o700)
    await folder.remove('work')
    assert.deepEqual(await folder.names(), ['art'])
  })

  it('takes no name twice, and no name that is a path', async () => {
    await folder.add('work', [first])
    await fails('E_EXISTS', folder.add('work', [second]))
    assert.deepEqual(await folder.find('work', whole), [first])
    for (const name of ['', '.', '..', '../x', 'a/b', '.hidden', 'Work', 'a b', 'x'.repeat(65)]) {
      assert.equal(isCapName(name), false)
      await fails('E_USAGE', folder.add(name, [first]))
      await fails('E_USAGE', folder.replace(name, [first]))
      assert.equal(await folder.find(name, whole), undefined)
    }
  })

  it('is never without the file while it is replaced', async () => {
    await folder.add('work', [first])
    disk.seen.length = 0
    await folder.replace('work', [second])
    const [old, now] = [first, second].map((cap) => `${formatCap(cap)}\n`)
    assert.ok(disk.seen.length >= 3)
    for (const text of disk.seen) assert.ok(text === old || text === now, text)
    assert.equal(disk.seen.at(-1), now)
  })

  it('keeps the old file where the new one cannot be written, and no part of it', async () => {
    await folder.add('work', [first])
    disk.rename = async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, rename'), { code: 'ENOSPC' })
    }
    await fails('E_IO', folder.replace('work', [second]))
    assert.deepEqual(await folder.find('work', whole), [first])
    assert.deepEqual(await fs.readdir(directory), ['work'])
  })

  it('takes what a crash left behind for no name', async () => {
    await folder.add('work', [first])
    const rename = disk.rename.bind(disk)
    let left = ''
    disk.rename = async (from, to) => {
      left = path.basename(from)
      await fs.copyFile(from, path.join(directory, `${left}2`))
      await rename(from, to)
    }
    await folder.add('art', [second])
    assert.ok(left.startsWith('.'))
    assert.deepEqual(await folder.names(), ['art', 'work'])
  })

  it('refuses a file that holds no caps or is endless, and tells nothing of it', async () => {
    await folder.add('work', [first])
    const secret = formatCap(second)
    await fs.writeFile(path.join(directory, 'work'), `${secret}\nURI:secret-nonsense\n`)
    await assert.rejects(folder.find('work', whole), (error) => {
      assert.ok(isGridError(error, 'E_CONFIG'))
      assert.doesNotMatch(`${error.message}${error.hint ?? ''}`, /nonsense|URI:/)
      return true
    })
    await fs.truncate(path.join(directory, 'work'), 2 ** 40)
    await fails('E_IO', folder.find('work', whole))
  })
})
