/** What a folder for what a backup remembers must do, whatever it is kept in. */
import assert from 'node:assert/strict'
import { it } from 'mocha'
import type { CacheFolder } from '../../src/backup/memory/cache-folder.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'

const isIo = (error: unknown): boolean => isGridError(error, 'E_IO')

function put(folder: CacheFolder, name: string, text: string): void {
  const file = folder.create(name)
  file.append(utf8(text))
  file.close()
}

function get(folder: CacheFolder, name: string): string | undefined {
  const file = folder.open(name)
  const text = file && Buffer.from(file.read(0, file.sizeBytes)).toString()
  file?.close()
  return text
}

/** @param make - an empty folder, each time a new one */
export function testCacheFolder(make: () => Promise<CacheFolder>): void {
  it('reads anywhere what was appended, while it grows', async () => {
    const folder = await make()
    const file = folder.create('a')
    file.append(utf8('hello '))
    file.append(utf8('world'))
    assert.equal(file.sizeBytes, 11)
    assert.deepEqual(file.read(4, 4), utf8('o wo'))
    assert.deepEqual(file.read(9, 100), utf8('ld'))
    assert.deepEqual(file.read(11, 1), utf8(''))
    assert.deepEqual(file.read(100, 1), utf8(''))
    await file.sync()
    file.close()
    assert.equal(get(folder, 'a'), 'hello world')
  })

  it('gives bytes that are the caller’s', async () => {
    const folder = await make()
    put(folder, 'a', 'abc')
    const file = folder.open('a')!
    file.read(0, 3).fill(0)
    assert.deepEqual(file.read(0, 3), utf8('abc'))
    file.close()
    file.close()
  })

  it('lists, renames and removes', async () => {
    const folder = await make()
    assert.deepEqual(await folder.list(), [])
    put(folder, 'a', 'A')
    put(folder, 'b', 'B')
    assert.deepEqual((await folder.list()).sort(), ['a', 'b'])
    await folder.rename('a', 'b')
    await folder.sync()
    assert.deepEqual(await folder.list(), ['b'])
    assert.equal(get(folder, 'b'), 'A')
    await folder.remove('b')
    await folder.remove('b')
    assert.deepEqual(await folder.list(), [])
    assert.equal(get(folder, 'b'), undefined)
  })

  it('overwrites all of a file in its place', async () => {
    const folder = await make()
    put(folder, 'a', 'secret')
    const held = folder.open('a')!
    await folder.wipe('a')
    await folder.wipe('b')
    assert.deepEqual(held.read(0, 10), new Uint8Array(6))
    held.close()
    assert.deepEqual(await folder.list(), ['a'])
  })

  it('refuses a name that is taken, and to rename nothing', async () => {
    const folder = await make()
    put(folder, 'a', 'A')
    assert.throws(() => folder.create('a'), isIo)
    assert.equal(get(folder, 'a'), 'A')
    await assert.rejects(folder.rename('b', 'c'), isIo)
  })
}
