import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { TagIndex } from '../../src/backup/memory/tag-index.ts'
import { concat, u32be } from '../../src/base/bytes.ts'
import { bytesOf } from './samples.ts'

/** Where the tag of this number is said to be. */
function find(index: TagIndex, tag: Uint8Array): string | undefined {
  return index.find(tag, (page, at) => `${page} ${at}`)
}

describe('TagIndex', () => {
  it('finds each of many, and no other', () => {
    for (const expected of [0, 5000]) {
      const index = new TagIndex(expected)
      for (let i = 0; i < 5000; i++) index.add(bytesOf(i, 16), i + 1, 7 * i)
      for (let i = 0; i < 5000; i++) assert.equal(find(index, bytesOf(i, 16)), `${i + 1} ${7 * i}`)
      for (let i = 5000; i < 6000; i++) assert.equal(find(index, bytesOf(i, 16)), undefined)
      assert.equal(index.count, 5000)
    }
  })

  it('keeps apart tags that begin alike, also where the last slots are full', () => {
    for (const first of [0, 2 ** 32 - 1]) {
      const index = new TagIndex()
      const tagOf = (i: number): Uint8Array => concat(u32be(first), u32be(0), u32be(i), u32be(0))
      for (let i = 0; i < 100; i++) index.add(tagOf(i), i + 1, 0)
      for (let i = 0; i < 100; i++) assert.equal(find(index, tagOf(i)), `${i + 1} 0`)
    }
  })

  it('keeps one place of a tag, however often it comes', () => {
    const index = new TagIndex()
    for (let i = 0; i < 1000; i++) index.add(bytesOf('same', 16), i + 1, 0)
    assert.equal(index.count, 1)
    assert.equal(find(index, bytesOf('same', 16)), '1 0')
  })

  it('goes on where a place is not of the tag', () => {
    const index = new TagIndex()
    index.add(bytesOf('a', 16), 1, 0)
    let looks = 0
    const found = index.find(bytesOf('a', 16), (page) => {
      looks++
      return page > 1 ? page : undefined
    })
    assert.equal(found, undefined)
    assert.equal(looks, 1)
  })

  it('takes little memory', () => {
    const before = process.memoryUsage().arrayBuffers
    const index = new TagIndex(1_000_000)
    assert.ok(process.memoryUsage().arrayBuffers - before < 40 * 2 ** 20)
    assert.equal(index.count, 0)
  })
})
