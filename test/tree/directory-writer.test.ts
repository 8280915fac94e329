import assert from 'node:assert/strict'
import fc from 'fast-check'
import { before, describe, it } from 'mocha'
import { compareBytes, toHex, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import type { DirectoryEntry, DirectoryRef } from '../../src/tree/entry.ts'
import type { ExtendedAttribute } from '../../src/tree/entry-meta.ts'
import { findEntry, listPages } from '../../src/tree/directory-reader.ts'
import { changeDirectory, writeDirectory } from '../../src/tree/directory-writer.ts'
import { maxEntryWeight, NodeCutter, weightOf } from '../../src/tree/node-end.ts'
import { LoneNodes, NodeBundler } from '../../src/tree/node-sink.ts'
import { addition, bundled, keys, listAll, lit, nameOf, namesWithoutEnd } from './entries.ts'
import { MemoryObjects } from './memory-objects.ts'

const slow = process.env.SLOW === '1'

/** Some names of each kind: those that end nodes of entries, those that end nodes above too, others. */
function mixedNames(): string[] {
  const cutter = new NodeCutter(keys)
  const chosen: string[] = []
  for (let i = 0; i < 250_000; i++) {
    const ends = cutter.endsAfter(0, utf8(nameOf(i)))
    const endsAbove = ends && cutter.endsAfter(1, utf8(nameOf(i)))
    if (endsAbove || (ends ? i % 8 === 0 : i % 500 === 0)) chosen.push(nameOf(i))
  }
  return chosen
}

/** Sizes of the nodes of entries, by their last names. */
async function ends(objects: MemoryObjects, directory: DirectoryRef): Promise<string[]> {
  const found: string[] = []
  for await (const page of listPages(objects, directory))
    found.push(`${toHex(page[page.length - 1].name)} ${page.length}`)
  return found
}

/** Names and versions: entries at a length that many can be compared at. */
function summary(entries: readonly DirectoryEntry[]): string {
  return entries.map(({ name, mtime }) => `${toHex(name)} ${mtime.nanoseconds}`).join()
}

interface Edit {
  start: number
  count: number
  every: number
  /** Undefined: they are removed. */
  version: number | undefined
}

const edit: fc.Arbitrary<Edit> = fc.record({
  start: fc.nat(600),
  count: fc.oneof(fc.nat(4), fc.nat(600)),
  every: fc.integer({ min: 1, max: 40 }),
  version: fc.option(fc.nat(2), { nil: undefined }),
})

/** A directory in three forms: a map, with lone nodes, and in bundles. */
class Edited {
  readonly objects = new MemoryObjects()
  readonly lone: LoneNodes = new LoneNodes(this.objects.store)
  readonly entries = new Map<string, DirectoryEntry>()
  alone: DirectoryRef | undefined
  inBundles: DirectoryRef | undefined

  async apply(names: readonly string[], { start, count, every, version }: Edit): Promise<void> {
    const touched = names.slice(start, start + count).filter((_, i) => i % every === 0)
    const changes = touched.map((name) => {
      const entry = version === undefined ? undefined : lit(name, version)
      if (entry === undefined) this.entries.delete(name)
      else this.entries.set(name, entry)
      return { name: utf8(name), entry }
    })
    const context = { keys, reader: this.objects }
    this.alone = await changeDirectory({ ...context, sink: this.lone }, this.alone, changes)
    const bundler = new NodeBundler(this.objects.store)
    this.inBundles = await changeDirectory({ ...context, sink: bundler }, this.inBundles, changes)
    await bundler.finish()
  }

  get sorted(): DirectoryEntry[] {
    return [...this.entries.values()].sort((a, b) => compareBytes(a.name, b.name))
  }
}

describe('directory writer', () => {
  let names: string[] = []
  before(() => {
    names = mixedNames()
  })

  it('comes to the same nodes whatever the history', async () => {
    assert.ok(names.length > 400)
    let deepest = 0
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { maxLength: 8 }), fc.boolean(), async (edits, full) => {
        const edited = new Edited()
        const all = { start: 0, count: names.length, every: 1, version: 0 }
        for (const one of full ? [all, ...edits] : edits) {
          await edited.apply(names, one)
          const { objects, lone, sorted } = edited
          const fresh = await writeDirectory({ keys, sink: lone }, sorted)
          assert.deepEqual(edited.alone, fresh)
          assert.equal(summary(await listAll(objects, fresh)), summary(sorted))
          assert.equal(summary(await listAll(objects, edited.inBundles!)), summary(sorted))
          assert.deepEqual(await ends(objects, edited.inBundles!), await ends(objects, fresh))
        }
        if (full) deepest = Math.max(deepest, (await ends(edited.objects, edited.alone!)).length)
      }),
      { numRuns: slow ? 500 : 20 },
    )
    assert.ok(deepest > 100, 'directories of many nodes were tried')
  }).timeout(60_000)

  it('grows above its root, and shrinks to what is left', async () => {
    const objects = new MemoryObjects()
    const context = { keys, reader: objects, sink: new LoneNodes(objects.store) }
    const entries = names.map((name) => lit(name))
    const all = await writeDirectory(context, entries)
    const cutter = new NodeCutter(keys)
    const firstEnd = 1 + entries.findIndex(({ name }) => cutter.endsAfter(0, name))
    const firstEndAbove =
      1 + entries.findIndex(({ name }) => cutter.endsAfter(0, name) && cutter.endsAfter(1, name))
    const ranges = [0, 1, firstEnd - 1, firstEnd, firstEnd + 1, firstEndAbove, firstEndAbove + 1]
    for (const count of ranges) {
      const few = await writeDirectory(context, entries.slice(0, count))
      const rest = entries.slice(count)
      assert.deepEqual(await changeDirectory(context, few, rest.map(addition)), all)
      const removals = rest.map(({ name }) => ({ name, entry: undefined }))
      assert.deepEqual(await changeDirectory(context, all, removals), few, `${count} left`)
      const last = count === 0 ? entries : entries.slice(-count)
      const others = entries.slice(0, entries.length - last.length)
      const cut = others.map(({ name }) => ({ name, entry: undefined }))
      assert.deepEqual(
        await changeDirectory(context, all, cut),
        await writeDirectory(context, last),
      )
    }
  })

  it('comes to the same nodes where rows or their weight end them', async () => {
    const heavy = (name: string, version: number): DirectoryEntry => ({
      ...lit(name, version),
      meta: { xattrs: [{ name: utf8('user.x'), value: new Uint8Array(60_000 + 997 * version) }] },
    })
    const plain = namesWithoutEnd(4096 + 300)
    const objects = new MemoryObjects()
    const context = { keys, reader: objects, sink: new LoneNodes(objects.store) }
    const entries = plain.map((name, i) => (i > 4300 ? heavy(name, i % 3) : lit(name)))
    const fresh = await writeDirectory(context, entries)
    const sizes = (await ends(objects, fresh)).map((end) => Number(end.split(' ')[1]))
    assert.equal(sizes[0], 4096)
    assert.ok(sizes.length > 5, sizes.join())
    for (const i of [0, 1, 4095, 4096, 4299, 4350, 4395]) {
      const less = await changeDirectory(context, fresh, [
        { name: entries[i].name, entry: undefined },
      ])
      const rest = entries.filter((_, at) => at !== i)
      assert.deepEqual(less, await writeDirectory(context, rest))
      assert.deepEqual(await changeDirectory(context, less, [addition(entries[i])]), fresh)
    }
  }).timeout(60_000)

  it('has one node for 0, 1 and up to 4,096 entries that nothing divides', async () => {
    const plain = namesWithoutEnd(4097).map((name) => lit(name))
    for (const [count, nodes] of [
      [0, 1],
      [1, 1],
      [4095, 1],
      [4096, 1],
      [4097, 3],
    ]) {
      const objects = new MemoryObjects()
      const sink = new LoneNodes(objects.store)
      const directory = await writeDirectory({ keys, sink }, plain.slice(0, count))
      assert.equal(objects.writes, nodes, `${count} entries`)
      assert.deepEqual(await listAll(objects, directory), plain.slice(0, count))
    }
  })

  it('ends nodes after one name in 256', async () => {
    const objects = new MemoryObjects()
    const entries = Array.from({ length: 40_000 }, (_, i) => lit(nameOf(i)))
    const directory = await writeDirectory({ keys, sink: new LoneNodes(objects.store) }, entries)
    const { length } = await ends(objects, directory)
    assert.ok(length > 120 && length < 200, `${length} nodes`)
  })

  it('reads and writes only the nodes on the path of a change', async () => {
    const objects = new MemoryObjects()
    const entries = Array.from({ length: 100_000 }, (_, i) => lit(nameOf(i)))
    const bundler = new NodeBundler(objects.store)
    const base = await writeDirectory({ keys, sink: bundler }, entries)
    await bundler.finish()
    for (const i of [0, 1, 31_415, 99_999]) {
      objects.reads = objects.writes = 0
      const after = new NodeBundler(objects.store)
      const changed = await changeDirectory({ keys, reader: objects, sink: after }, base, [
        addition(lit(nameOf(i), 1)),
      ])
      await after.finish()
      assert.ok(objects.reads <= 4, `${objects.reads} reads`)
      assert.equal(objects.writes, 1)
      assert.deepEqual(await findEntry(objects, changed, utf8(nameOf(i))), lit(nameOf(i), 1))
      if (i !== 31_415) continue
      let count = 0
      for await (const page of listPages(objects, changed)) count += page.length
      assert.equal(count, entries.length)
    }
  }).timeout(60_000)

  it('writes nothing where nothing changes', async () => {
    const objects = new MemoryObjects()
    const context = { keys, reader: objects, sink: new LoneNodes(objects.store) }
    const entries = Array.from({ length: 3000 }, (_, i) => bundled(nameOf(i), i))
    for (const base of [
      await writeDirectory(context, entries),
      await writeDirectory(context, entries.slice(0, 5)),
      await writeDirectory(context, []),
    ]) {
      const present = await listAll(objects, base)
      objects.writes = 0
      const absent = { name: utf8('zzz'), entry: undefined }
      const same = await changeDirectory(context, base, [...present.map(addition), absent])
      assert.deepEqual(same, base)
      assert.equal(objects.writes, 0)
    }
  })

  it('refuses changes out of order, and entries that no directory can hold', async () => {
    const objects = new MemoryObjects()
    const write = (...entries: DirectoryEntry[]): Promise<DirectoryRef> =>
      writeDirectory({ keys, sink: new LoneNodes(objects.store) }, entries)
    await assert.rejects(write(lit('b'), lit('a')), RangeError)
    await assert.rejects(write(lit('a'), lit('a')), RangeError)
    const refused: DirectoryEntry[] = [
      ...['', '.', '..', 'a/b', 'a\0', 'x'.repeat(1025)].map((name) => lit(name)),
      { ...lit('a'), mode: 0o10000 },
      { ...lit('a'), mtime: { seconds: 0, nanoseconds: 1_000_000_000 } },
      { ...lit('a'), kind: 'lit', content: new Uint8Array(65) },
      { ...lit('a'), kind: 'symlink', content: utf8('a\0b') },
      { ...lit('a'), kind: 'fifo', content: undefined, meta: { device: { major: 1, minor: 2 } } },
      { ...lit('a'), kind: 'block-device', content: undefined },
      {
        ...lit('a'),
        meta: { xattrs: [{ name: utf8('n'), value: new Uint8Array(maxEntryWeight) }] },
      },
    ]
    for (const entry of refused)
      await assert.rejects(write(entry), (error) => isGridError(error, 'E_NODE'))
  })

  it('makes no node of more values or bytes than a reader takes', async () => {
    const objects = new MemoryObjects()
    const tiny = (count: number): ExtendedAttribute[] =>
      Array.from({ length: count }, (_, i) => ({
        name: Uint8Array.of(1 + (i >> 14), (i >> 7) % 128, i % 128),
        value: new Uint8Array(0),
      }))
    const busy = (name: string, attributes: number): DirectoryEntry => ({
      ...bundled(name, 1),
      meta: {
        uid: 2 ** 32 - 1,
        gid: 2 ** 32 - 1,
        owner: 'u',
        group: 'g',
        xattrs: tiny(attributes),
        hardLink: 2 ** 53 - 1,
        fuzzy: true,
      },
    })
    const plain = namesWithoutEnd(4096)
    const entries = plain.map((name, i) => busy(name, i < 4095 ? 3 : 14_900))
    assert.ok(weightOf(entries[4095]) > maxEntryWeight * 0.99)
    const sink = new LoneNodes(objects.store)
    const directory = await writeDirectory({ keys, sink }, entries)
    let listed = 0
    for await (const page of listPages(objects, directory)) listed += page.length
    assert.equal(listed, 4096)
    const sizes = (await ends(objects, directory)).map((end) => Number(end.split(' ')[1]))
    assert.ok(sizes[0] > 3800, sizes.join())
  }).timeout(60_000)

  it('ends a node when it is full, and takes the heaviest entry there can be', async () => {
    const objects = new MemoryObjects()
    const value = new Uint8Array(maxEntryWeight - 128 - 1 - 32 - 1 - 4)
    const heavy = (name: string, bytes: Uint8Array): DirectoryEntry => ({
      ...lit(name),
      meta: { xattrs: [{ name: utf8('n'), value: bytes }] },
    })
    const entries = 'abcdef'.split('').map((name) => heavy(name, value))
    assert.equal(weightOf(entries[0]), maxEntryWeight)
    entries[2] = heavy('c', value.subarray(1))
    const sink = new LoneNodes(objects.store)
    const directory = await writeDirectory({ keys, sink }, entries)
    assert.deepEqual(await ends(objects, directory), ['62 2', '65 3', '66 1'])
    assert.deepEqual(await listAll(objects, directory), entries)
  })
})
