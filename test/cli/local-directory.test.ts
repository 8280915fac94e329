import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { LocalDirectory } from '../../src/cli/local-directory.ts'

let top: string
const random = new SystemRandom()
const attributes = { mode: 0o6755, mtime: { seconds: 5, nanoseconds: 500_000_000 }, meta: {} }

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield utf8(text)
}

const exists = (error: unknown): boolean => isGridError(error, 'E_EXISTS')

describe('local directory', () => {
  beforeEach(async () => {
    top = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-local-'))
    for (const name of ['target', 'outside']) await fs.mkdir(path.join(top, name))
  })
  afterEach(() => fs.rm(top, { recursive: true }))

  const open = (): Promise<LocalDirectory> => LocalDirectory.open(path.join(top, 'target'))

  it('makes files with time and mode, without set-id bits', async () => {
    const directory = await open()
    const options = { replace: false, random }
    await directory.makeFile(utf8('f'), pieces('one ', 'two'), attributes, options)
    await directory.close()
    const at = path.join(top, 'target', 'f')
    assert.equal(await fs.readFile(at, 'utf8'), 'one two')
    const { mode, mtimeMs } = await fs.stat(at)
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o755, 5500])
    assert.deepEqual(await fs.readdir(path.join(top, 'target')), ['f'])
  })

  it('leaves nothing behind of a file that breaks off', async () => {
    const directory = await open()
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8('one')
      throw new Error('no more')
    }
    for (const replace of [false, true]) {
      const made = directory.makeFile(utf8('f'), broken(), attributes, { replace, random })
      await assert.rejects(made, /no more/)
    }
    await directory.close()
    assert.deepEqual(await fs.readdir(path.join(top, 'target')), [])
  })

  it('goes through no link, and replaces one without following it', async () => {
    const directory = await open()
    const outside = path.join(top, 'outside')
    await fs.symlink(outside, path.join(top, 'target', 'd'))
    await fs.writeFile(path.join(outside, 'mine'), 'mine')
    await fs.symlink(path.join(outside, 'mine'), path.join(top, 'target', 'f'))
    await assert.rejects(directory.enter(utf8('d')), exists)
    const make = (replace: boolean): Promise<void> =>
      directory.makeFile(utf8('f'), pieces('new'), attributes, { replace, random })
    await assert.rejects(make(false), exists)
    await make(true)
    await assert.rejects(directory.makeLink(utf8('d'), utf8('x')), exists)
    await directory.close()
    assert.equal(await fs.readFile(path.join(outside, 'mine'), 'utf8'), 'mine')
    assert.equal(await fs.readFile(path.join(top, 'target', 'f'), 'utf8'), 'new')
    assert.deepEqual(await fs.readdir(outside), ['mine'])
  })

  it('stays where it was opened, whatever is put in its place meanwhile', async () => {
    const directory = await open()
    const inner = await directory.enter(utf8('inner'))
    const [target, outside] = ['target', 'outside'].map((name) => path.join(top, name))
    await fs.rename(path.join(target, 'inner'), path.join(target, 'moved'))
    await fs.symlink(outside, path.join(target, 'inner'))
    const made = inner.makeFile(utf8('f'), pieces('x'), attributes, { replace: true, random })
    await made.catch((error: unknown) => assert.ok(isGridError(error, 'E_FILE_CHANGED')))
    await inner.close()
    await directory.close()
    assert.deepEqual(await fs.readdir(outside), [])
  })

  it('takes no name that leads elsewhere', async () => {
    const directory = await open()
    for (const name of ['..', '.', '../outside/x', '/etc/x', '', 'a\0b']) {
      const options = { replace: true, random }
      const made = directory.makeFile(utf8(name), pieces('x'), attributes, options)
      await assert.rejects(made, (error) => isGridError(error, 'E_NODE'))
      await assert.rejects(directory.enter(utf8(name)), (error) => isGridError(error, 'E_NODE'))
    }
    await directory.close()
    assert.deepEqual(await fs.readdir(path.join(top, 'outside')), [])
  })
})
