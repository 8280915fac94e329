import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { writeNewFile } from '../../src/cli/new-file.ts'

const random = new SystemRandom()
let directory: string
let target: string

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

function write(source: AsyncIterable<Uint8Array>, replace = false): Promise<void> {
  return writeNewFile(target, source, { replace, random })
}

describe('new file', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-new-file-'))
    target = path.join(directory, 'photo.jpg')
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('holds the pieces, and nothing else is left', async () => {
    await write(pieces('one, ', '', 'two'))
    assert.equal(await fs.readFile(target, 'utf8'), 'one, two')
    assert.deepEqual(await fs.readdir(directory), ['photo.jpg'])
    target = path.join(directory, 'empty')
    await write(pieces())
    assert.equal((await fs.stat(target)).size, 0)
  })

  it('has no name before all of it is there', async () => {
    await write(
      (async function* () {
        yield Buffer.from('half')
        const names = await fs.readdir(directory)
        assert.equal(names.length, 1)
        assert.match(names[0], /^\.photo\.jpg\.[a-z2-7]{8}\.part$/)
        yield Buffer.from('whole')
      })(),
    )
  })

  it('leaves no trace where the pieces fail', async () => {
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half')
      throw new RangeError('broken')
    }
    for (const replace of [false, true]) {
      await assert.rejects(write(failing(), replace), RangeError)
      assert.deepEqual(await fs.readdir(directory), [])
    }
  })

  it('replaces a file only when that is asked for', async () => {
    await fs.writeFile(target, 'old')
    let asked = false
    const source = (async function* () {
      asked = true
      yield Buffer.from('new')
    })()
    await assert.rejects(write(source), (error) => {
      assert.ok(isGridError(error, 'E_EXISTS'))
      assert.equal(error.hint, 'give another name, or -f to replace it')
      return true
    })
    assert.equal(asked, false)
    assert.equal(await fs.readFile(target, 'utf8'), 'old')
    await write(pieces('new'), true)
    assert.equal(await fs.readFile(target, 'utf8'), 'new')
    assert.deepEqual(await fs.readdir(directory), ['photo.jpg'])
  })

  it('does not replace a file that came meanwhile', async () => {
    const source = (async function* () {
      await fs.writeFile(target, 'other')
      yield Buffer.from('new')
    })()
    await assert.rejects(write(source), (error) => isGridError(error, 'E_EXISTS'))
    assert.equal(await fs.readFile(target, 'utf8'), 'other')
    assert.deepEqual(await fs.readdir(directory), ['photo.jpg'])
  })

  it('keeps the old file until the new one is whole', async () => {
    await fs.writeFile(target, 'old')
    const source = (async function* () {
      yield Buffer.from('new')
      assert.equal(await fs.readFile(target, 'utf8'), 'old')
    })()
    await write(source, true)
  })

  it('writes behind a link, and never in place of a directory or a device', async () => {
    const real = path.join(directory, 'real')
    await fs.writeFile(real, 'old')
    await fs.symlink('real', target)
    await assert.rejects(write(pieces('new')), (error) => isGridError(error, 'E_EXISTS'))
    await write(pieces('new'), true)
    assert.equal(await fs.readFile(real, 'utf8'), 'new')
    assert.ok((await fs.lstat(target)).isSymbolicLink())

    for (const at of [directory, '/dev/null']) {
      target = at
      for (const replace of [false, true]) {
        await assert.rejects(write(pieces('x'), replace), (error) => isGridError(error, 'E_EXISTS'))
      }
    }
  })

  it('says why it cannot be written', async () => {
    target = path.join(directory, 'none', 'photo.jpg')
    await assert.rejects(write(pieces('x')), (error) => isGridError(error, 'E_FILE'))
    target = path.join(directory, 'x'.repeat(300))
    await assert.rejects(write(pieces('x')), (error) => isGridError(error, 'E_FILE'))
    assert.deepEqual(await fs.readdir(directory), [])
  })
})
