import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { conflictName } from '../../src/files/conflict-name.ts'
import type { GridMap } from '../../src/files/map.ts'
import { keyOfName, maxKeyBytes, nameOfKey } from '../../src/files/map-key.ts'
import { openMap } from '../../src/files/open-files.ts'
import { checkName } from '../../src/tree/entry.ts'
import { content, MemoryGrid } from '../node/memory-grid.ts'

async function maps(...devices: string[]): Promise<GridMap[]> {
  const { grid } = await MemoryGrid.of(4)
  const { admin } = await grid.logs.create({ device: 'first' })
  const read = attenuate(admin, 'LOG-Read')
  const opened: GridMap[] = []
  for (const label of devices)
    opened.push(openMap(grid, { read, append: await grid.logs.grant(admin, { label }) }))
  return opened
}

async function keysIn(map: GridMap, from?: string, to?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of map.range({ from, to })) keys.push(new TextDecoder().decode(key))
  return keys
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes)

describe('keys of maps', () => {
  const key = fc.uint8Array({ maxLength: 40 })

  it('become names in their own order, and come back', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [left, right] = [nameOfKey(a), nameOfKey(b)]
        checkName(left)
        assert.deepEqual(keyOfName(left), { key: a, isConflict: false })
        assert.equal(Math.sign(compareBytes(left, right)), Math.sign(compareBytes(a, b)))
      }),
    )
  })

  it('are told from names of conflicts, of which those of the longest key have room', () => {
    const mark = { device: '字'.repeat(64), clientMs: 1e12 }
    fc.assert(
      fc.property(key, (a) => {
        const name = conflictName(nameOfKey(a), mark, 1)
        assert.deepEqual(keyOfName(name), { key: a, isConflict: true })
      }),
    )
    const longest = new Uint8Array(maxKeyBytes)
    assert.deepEqual(keyOfName(conflictName(nameOfKey(longest), mark, 12))?.key, longest)
  })

  it('are of nothing that no map made', () => {
    for (const name of ['x', 'k', 'ka', 'k.\u0001', 'notes.txt', 'k\u0002'])
      assert.equal(keyOfName(utf8(name)), undefined, JSON.stringify(name))
  })
})

describe('map', () => {
  it('gets what was set last, of any size, under any key', async () => {
    const [map] = await maps('a')
    assert.equal(await map.get('x'), undefined)
    const large = content(5000)
    await map.batch([
      { key: '', value: utf8('empty') },
      { key: '../..', value: utf8('dots') },
      { key: '__proto__', value: large },
      { key: Uint8Array.of(0, 0x2f, 0xff), value: new Uint8Array(0) },
    ])
    assert.equal(text(await map.get('')), 'empty')
    assert.equal(text(await map.get('../..')), 'dots')
    assert.deepEqual(await map.get('__proto__'), large)
    assert.deepEqual(await map.get(Uint8Array.of(0, 0x2f, 0xff)), new Uint8Array(0))
    await map.delete('')
    assert.equal(await map.get(''), undefined)
    await assert.rejects(map.set('x'.repeat(maxKeyBytes + 1), large), RangeError)
  })

  it('gives keys in order, from one to another', async () => {
    const [map] = await maps('a')
    const keys = ['a', 'a/b', 'a/c', 'a0', 'b', 'c.d']
    await map.batch(keys.map((key) => ({ key, value: utf8(key) })))
    assert.deepEqual(await keysIn(map), keys)
    assert.deepEqual(await keysIn(map, 'a/', 'a0'), ['a/b', 'a/c'])
    assert.deepEqual(await keysIn(map, 'a/c', 'c'), ['a/c', 'a0', 'b'])
    assert.deepEqual(await keysIn(map, 'x'), [])
  })

  it('tells what a key was, and adds no version for what is so already', async () => {
    const [map] = await maps('a')
    for (const value of ['1', '2', '2']) await map.set('k', utf8(value))
    await map.delete('k')
    const values = []
    for await (const { value, device } of map.history('k')) values.push([text(value), device])
    assert.deepEqual(values, [
      [undefined, 'a'],
      ['2', 'a'],
      ['1', 'a'],
    ])
  })

  it('loses nothing of two who set one key at once; the next one to set it decides', async () => {
    const [one, two] = await maps('one', 'two')
    await one.set('k', utf8('0'))
    await Promise.all([one.set('k', utf8('1')), two.set('k', utf8('2'))])
    const values = [await one.get('k'), ...(await one.conflicts('k'))].map(text)
    assert.deepEqual(values.sort(), ['1', '2'])
    assert.deepEqual(await keysIn(one), ['k'])
    await two.set('k', utf8('3'))
    assert.deepEqual([text(await one.get('k')), await one.conflicts('k')], ['3', []])
  })

  it('loses nothing of many changes that one device makes at once', async () => {
    const { grid } = await MemoryGrid.of(4)
    const { admin, append } = await grid.logs.create({ device: 'first' })
    const read = attenuate(admin, 'LOG-Read')
    const both = [openMap(grid, { read, append }), openMap(grid, { read, append })]
    const keys = Array.from({ length: 12 }, (_, i) => `k${String(i).padStart(2, '0')}`)
    await Promise.all(keys.map((key, i) => both[i % 2].set(key, utf8(key))))
    assert.deepEqual(await keysIn(both[0]), keys)
  })
})
