import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { BackupMemory, type MemoryOptions } from '../../src/backup/memory/backup-memory.ts'
import type { CacheFolder } from '../../src/backup/memory/cache-folder.ts'
import { pageBytes } from '../../src/backup/memory/row-pages.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import type { CachedKeys } from '../../src/backup/memory/cached-keys.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import {
  allRows,
  basis,
  CountedRandom,
  described,
  directoryOf,
  entryOf,
  fileOf,
  fingerprintOf,
  known,
  literalOf,
  objectOf,
  type Row,
  said,
  sampleRows,
  streamOf,
  treeOf,
  write,
} from './samples.ts'

const anyName = fc.uint8Array({ minLength: 1, maxLength: 1024 })
const anyFingerprint = fc.option(fc.uint8Array({ minLength: 40, maxLength: 40 }), {
  nil: undefined,
})
const anyHardLink = fc.option(fc.maxSafeNat(), { nil: undefined })
const anySeed = fc.nat(20)
const anyContent = fc.oneof(
  fc.string({ maxLength: 20 }).map(literalOf),
  fc.tuple(anySeed, anySeed).map(([seed, object]) => fileOf(seed, objectOf(object))),
  fc
    .tuple(anySeed, fc.nat(200), fc.nat(3))
    .map(([seed, extents, nodes]) => treeOf(seed, Math.max(1, extents), nodes)),
)
const anyEntry: fc.Arbitrary<Row> = fc
  .record({
    name: anyName,
    kind: fc.constantFrom('symlink', 'fifo', 'char-device', 'block-device', 'file'),
    fingerprint: anyFingerprint,
    hardLink: anyHardLink,
    content: fc.option(anyContent, { nil: undefined }),
  })
  .map((entry) => ({
    step: 'entry',
    entry: { ...entry, kind: entry.content === undefined ? entry.kind : 'file' },
  }))
/** A directory with all that is below it. */
const { tree: anyTree } = fc.letrec<{ tree: Row[]; rows: Row[] }>((tie) => ({
  tree: fc
    .tuple(fc.array(tie('rows'), { maxLength: 6 }), anyName, anyFingerprint, fc.nat(3))
    .map(([rows, name, fingerprint, nodes]) => [
      { step: 'enter', name },
      ...rows.flat(),
      { step: 'leave', directory: { ...directoryOf('any', nodes), name, fingerprint } },
    ]),
  rows: fc.oneof(
    { maxDepth: 3 },
    anyEntry.map((entry) => [entry]),
    tie('tree'),
  ),
}))

const random = new CountedRandom()

function open(folder: CacheFolder, options: Partial<MemoryOptions> = {}): Promise<BackupMemory> {
  return BackupMemory.open(folder, { random, basis, described, keys: 'kept', ...options })
}

async function remember(folder: CacheFolder, rows: readonly Row[]): Promise<void> {
  const memory = await open(folder)
  write(memory.writer, rows)
  await memory.commit()
}

describe('BackupMemory', () => {
  it('has nothing to begin with', async () => {
    const memory = await open(new MemoryCacheFolder())
    assert.equal(memory.forgotten, 'none')
    assert.equal(memory.rows(), undefined)
    assert.equal(memory.known(streamOf('a').tag), undefined)
  })

  it('gives back the rows of the last run', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    assert.equal(memory.forgotten, undefined)
    assert.deepEqual(allRows(memory).map(said), sampleRows())
    assert.deepEqual((await folder.list()).sort(), ['1.key', '1.rows'])
  })

  it('copies rows as they are, and keeps only the objects that are named', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    const rows = allRows(memory)
    for (const row of rows)
      if (said(row).step !== 'entry' || row.name[0] !== 0x64) memory.writer.copy(row)
    const { count } = memory.objects
    await memory.commit()
    const next = await open(folder)
    const expected = sampleRows().filter(
      (row) => row.step !== 'entry' || row.entry.name[0] !== 0x64,
    )
    assert.deepEqual(allRows(next).map(said), expected)
    assert.equal(count, 3)
    assert.deepEqual((await folder.list()).sort(), ['2.key', '2.rows'])
  })

  it('knows streams by their tags, old and new', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    const extent = streamOf('d extent 2')
    assert.deepEqual(memory.known(extent.tag), known(extent))
    assert.equal(memory.known(streamOf('new').tag), undefined)
    const content = streamOf('new')
    memory.writer.enter(new Uint8Array(0))
    const { tag, ...rest } = content
    memory.writer.entry(
      entryOf('new', { kind: 'file', content: rest, tag, sizeBytes: 1000, extents: [], nodes: [] }),
    )
    assert.deepEqual(memory.known(tag), known(content))
  })

  it('tells what was touched', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const rows = allRows(await open(folder))
    assert.ok(rows[1].matches(fingerprintOf('a')))
    assert.ok(!rows[1].matches(fingerprintOf('a'), 0))
    assert.ok(!rows[1].matches(fingerprintOf('b')))
    assert.ok(rows[2].matches(fingerprintOf('b'), 2 ** 53 - 1))
    assert.ok(rows[5].matches(fingerprintOf('e'), 0))
    assert.ok(!rows[5].matches(fingerprintOf('e')))
    assert.ok(!rows[4].matches(fingerprintOf('d')))
    assert.ok(rows[6].matches(fingerprintOf('c')))
  })

  it('keeps apart streams whose tags begin alike', async () => {
    const folder = new MemoryCacheFolder()
    const tagOf = (bytes: number): Uint8Array => {
      const tag = new Uint8Array(16).fill(7)
      tag.fill(8, bytes)
      return tag
    }
    const streams = [8, 12, 16].map((bytes) => ({ ...streamOf(bytes), tag: tagOf(bytes) }))
    await remember(folder, [
      { step: 'enter', name: utf8('') },
      { step: 'entry', entry: entryOf('a', { ...treeOf('a', 0), extents: streams.slice(0, 2) }) },
      { step: 'entry', entry: entryOf('b', { ...treeOf('b', 0), extents: streams.slice(2) }) },
      { step: 'leave', directory: directoryOf('') },
    ])
    const memory = await open(folder)
    assert.deepEqual(memory.known(tagOf(8)), known(streams[0]))
    assert.deepEqual(memory.known(tagOf(12)), known(streams[1]))
    // the same up to where the index looks: one of the two is known, and none is taken for the other
    assert.equal(memory.known(tagOf(16)), undefined)
    assert.equal(memory.known(tagOf(4)), undefined)
  })

  it('takes files and directories of any size', async () => {
    const folder = new MemoryCacheFolder()
    const rows: Row[] = [
      { step: 'enter', name: utf8('') },
      { step: 'entry', entry: entryOf('a', treeOf('a', 3000, 3000)) },
      { step: 'entry', entry: entryOf('b', treeOf('b', 64, 1024)) },
      { step: 'entry', entry: entryOf('c', treeOf('c', 1, 0)) },
      { step: 'leave', directory: directoryOf('', 2000) },
    ]
    await remember(folder, rows)
    const memory = await open(folder)
    const held = allRows(memory)
    assert.deepEqual(held.map(said), rows)
    const last = streamOf('a extent 2999')
    assert.deepEqual(memory.known(last.tag), known(last))
    for (const row of held) memory.writer.copy(row)
    await memory.commit()
    const next = await open(folder)
    assert.deepEqual(allRows(next).map(said), rows)
    assert.deepEqual(next.known(last.tag), known(last))
  })

  it('fills pages to the last byte', async () => {
    // rows of 1,000 bytes, and one by which the page is full, or is not
    const entry = (bytes: number): Row => {
      const name = new Uint8Array(bytes - 6).fill(0x61)
      return {
        step: 'entry',
        entry: {
          name,
          kind: 'fifo',
          fingerprint: undefined,
          hardLink: undefined,
          content: undefined,
        },
      }
    }
    const used = 5 + 65 * 1000
    for (let left = -4; left <= 4; left++) {
      const folder = new MemoryCacheFolder()
      const rows: Row[] = [
        { step: 'enter', name: utf8('') },
        ...Array.from({ length: 65 }, () => entry(1000)),
        entry(pageBytes - used - left),
        entry(200),
        { step: 'leave', directory: directoryOf('') },
      ]
      await remember(folder, rows)
      assert.deepEqual(allRows(await open(folder)).map(said), rows)
    }
  })

  it('passes over what is below a directory', async () => {
    const folder = new MemoryCacheFolder()
    const [enter, leave] = ['enter', 'leave']
    const tree = (name: string, ...rows: Row[]): Row[] => [
      { step: 'enter', name: utf8(name) },
      ...rows,
      { step: 'leave', directory: directoryOf(name) },
    ]
    const below = tree('b', ...tree('c', { step: 'entry', entry: entryOf('d', treeOf('d', 99)) }))
    await remember(folder, tree('', ...tree('a'), ...below, ...tree('e')))
    const rows = (await open(folder)).rows()!
    const here = (): string => `${rows.row?.step} ${Buffer.from(rows.row?.name ?? []).toString()}`
    rows.advance()
    rows.skipSubtree()
    assert.equal(here(), `${enter} b`)
    rows.skipSubtree()
    assert.equal(here(), `${enter} e`)
    rows.advance()
    assert.equal(here(), `${leave} e`)
    rows.skipSubtree()
    assert.equal(here(), `${leave} `)
    rows.skipSubtree()
    assert.equal(rows.row, undefined)
    rows.advance()
    assert.equal(rows.row, undefined)
  })

  it('finds what this run wrote in any page of it', async () => {
    const memory = await open(new MemoryCacheFolder())
    memory.writer.enter(utf8(''))
    for (let i = 0; i < 2000; i++) memory.writer.entry(entryOf(`${i}`, fileOf(i)))
    for (let i = 0; i < 2000; i++)
      assert.deepEqual(memory.known(streamOf(i).tag), known(streamOf(i)))
  })

  it('leaves the last run as it is when this one is abandoned', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    memory.writer.enter(utf8(''))
    for (let i = 0; i < 2000; i++) memory.writer.entry(entryOf(`${i}`, fileOf(i)))
    assert.deepEqual((await folder.list()).sort(), ['1.key', '1.rows', '2.rows'])
    await memory.abandon()
    assert.deepEqual((await folder.list()).sort(), ['1.key', '1.rows'])
    assert.deepEqual(allRows(await open(folder)).map(said), sampleRows())
  })

  it('writes nothing to the disk but the last rows if there are few', async () => {
    const folder = new MemoryCacheFolder()
    const memory = await open(folder)
    memory.writer.enter(utf8(''))
    assert.deepEqual(await folder.list(), [])
  })

  it('refuses rows out of their order, and of another cache', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder)
    const { writer } = memory
    assert.throws(() => writer.entry(entryOf('a')), RangeError)
    assert.throws(() => writer.leave(directoryOf('')), RangeError)
    writer.enter(utf8(''))
    const [other] = allRows(await open(folder))
    assert.throws(() => writer.copy(other), RangeError)
    await assert.rejects(writer.finish(), RangeError)
    writer.leave(directoryOf(''))
    assert.throws(() => writer.enter(utf8('')), RangeError)
    assert.throws(() => writer.leave(directoryOf('')), RangeError)
  })

  it('gives back any sequence of rows, written or copied', async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, fc.array(fc.boolean(), { minLength: 1 }), async (rows, copies) => {
        const folder = new MemoryCacheFolder()
        await remember(folder, rows)
        for (let run = 0; run < 2; run++) {
          const memory = await open(folder)
          const held = allRows(memory)
          assert.deepEqual(held.map(said), rows)
          for (const [i, row] of held.entries())
            if (copies[i % copies.length]) memory.writer.copy(row)
            else write(memory.writer, [said(row)])
          await memory.commit()
        }
        const memory = await open(folder)
        assert.deepEqual(allRows(memory).map(said), rows)
        for (const row of rows) {
          const content = row.step === 'entry' ? row.entry.content : undefined
          for (const { tag } of content?.extents ?? []) assert.ok(memory.known(tag))
          if (content?.tag !== undefined) assert.ok(memory.known(content.tag))
        }
      }),
      { numRuns: process.env.SLOW ? 500 : 40 },
    )
  })

  it('says whether entries are described as they were', async () => {
    const folder = new MemoryCacheFolder()
    const none = await open(folder)
    assert.ok(!none.isDescribedAlike)
    assert.equal(none.before, undefined)
    await remember(folder, sampleRows())
    const other = await open(folder, { described: basis })
    assert.equal(other.forgotten, undefined)
    assert.ok(!other.isDescribedAlike)
    const memory = await open(folder)
    assert.ok(memory.isDescribedAlike)
    const names = new Set([...(memory.before ?? [])].map(({ root }) => toHex(root)))
    assert.ok(names.has(toHex(objectOf('bundle').root)))
    assert.ok(names.has(toHex(objectOf('d extent 2').root)))
  })

  it('takes nothing from the last run if told so, and takes its place', async () => {
    const folder = new MemoryCacheFolder()
    await remember(folder, sampleRows())
    const memory = await open(folder, { forget: true })
    assert.equal(memory.forgotten, 'other')
    assert.equal(memory.rows(), undefined)
    assert.equal(memory.known(streamOf('a').tag), undefined)
    write(memory.writer, sampleRows())
    await memory.commit()
    assert.deepEqual((await folder.list()).sort(), ['2.key', '2.rows'])
  })

  it('lies in its pages as the specification has it', async () => {
    const count = (from: number, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => from + i)
    const object = objectOf(0)
    const ref = { object, offset: 0, sliceBytes: 200, readKey: count(0x40, 32) }
    const totals = { bytes: 5, files: 1, directories: 1, objects: 0 }
    const rows: Row[] = [
      { step: 'enter', name: utf8('') },
      { step: 'entry', entry: { ...entryOf('a'), fingerprint: count(0, 40), hardLink: 300 } },
      {
        step: 'leave',
        directory: { name: utf8(''), fingerprint: undefined, ref, nodes: [], totals },
      },
    ]
    const pageOf = async (keys: CachedKeys): Promise<string> => {
      const memory = await open(new MemoryCacheFolder(), { keys })
      write(memory.writer, rows)
      return toHex(memory.writer.page(1))
    }
    const first = `0100020000` + `02002d1a0161${toHex(count(0, 40))}ac02`
    const [kept, none] = [toHex(ref.readKey), '']
    assert.equal(await pageOf('kept'), `${first}03002c0000000100${kept}0000c801050101`)
    assert.equal(await pageOf('none'), `${first}03000c0000000100${none}0000c801050101`)
  })

  it('asks for the roots of objects in the end, not before', async () => {
    const folder = new MemoryCacheFolder()
    const memory = await open(folder)
    const filling: ObjectRef = { root: new Uint8Array(0), k: 0, n: 0, ciphertextBytes: 0 }
    const directory = directoryOf('')
    memory.writer.enter(directory.name)
    memory.writer.leave({ ...directory, ref: { ...directory.ref, object: filling } })
    Object.assign(filling, objectOf('full'))
    await memory.commit()
    const [, leave] = allRows(await open(folder))
    assert.deepEqual(leave.directory().ref.object, objectOf('full'))
  })

  it('is not made of an object that never came to be', async () => {
    const folder = new MemoryCacheFolder()
    const memory = await open(folder)
    const filling: ObjectRef = { root: new Uint8Array(0), k: 0, n: 0, ciphertextBytes: 0 }
    const directory = directoryOf('')
    memory.writer.enter(directory.name)
    memory.writer.leave({ ...directory, ref: { ...directory.ref, object: filling } })
    await assert.rejects(memory.commit(), RangeError)
    assert.equal((await open(folder)).forgotten, 'none')
  })
})
