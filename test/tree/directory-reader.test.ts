import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, it } from 'mocha'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import {
  capOfDirectory,
  capOfEntry,
  directoryOfCap,
  streamOfCap,
  verifyNameOf,
} from '../../src/tree/directory-cap.ts'
import {
  type DirectoryNode,
  type NodeRow,
  sealDirectoryNode,
} from '../../src/tree/directory-node.ts'
import {
  findEntry,
  listDirectory,
  listPages,
  resolveDirectory,
} from '../../src/tree/directory-reader.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../../src/tree/entry.ts'
import { LoneNodes, NodeBundler } from '../../src/tree/node-sink.ts'
import { bundled, type EntryOfKind, keys, listAll, lit, nameOf } from './entries.ts'
import { MemoryObjects } from './memory-objects.ts'

const slow = process.env.SLOW === '1'

async function built(
  entries: Iterable<DirectoryEntry>,
): Promise<{ objects: MemoryObjects; directory: DirectoryRef }> {
  const objects = new MemoryObjects()
  const bundler = new NodeBundler(objects.store)
  const directory = await writeDirectory({ keys, sink: bundler }, entries)
  await bundler.finish()
  return { objects, directory }
}

function* many(count: number): Generator<EntryOfKind<'file'>> {
  for (let i = 0; i < count; i++) yield bundled(nameOf(i), i)
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

describe('directory reader', () => {
  const count = slow ? 1_000_000 : 100_000

  it(`lists ${count} entries in constant memory, and finds one by one node of each depth`, async () => {
    const { objects, directory } = await built(many(count))
    const before = heapBytes()
    let most = 0
    let listed = 0
    for await (const entry of listDirectory(objects, directory)) {
      if (listed % (count / 10) === count / 20) most = Math.max(most, heapBytes() - before)
      assert.equal(entry.mode, 0o644)
      listed++
    }
    assert.equal(listed, count)
    assert.ok(most < 16 * 2 ** 20, `${most} bytes more than before`)
    objects.reads = 0
    const i = count - 5
    assert.deepEqual(await findEntry(objects, directory, utf8(nameOf(i))), bundled(nameOf(i), i))
    assert.ok(objects.reads <= 4)
  }).timeout(slow ? 600_000 : 60_000)

  it('lists from behind a name on, whether it is there or not', async () => {
    const { objects, directory } = await built(many(3000))
    for (const [after, first] of [
      ['', 0],
      ['a', 0],
      [nameOf(0), 1],
      [nameOf(1234), 1235],
      [`${nameOf(1234)}x`, 1235],
      [nameOf(2998), 2999],
    ] as const) {
      const listing = listDirectory(objects, directory, { after: utf8(after) })
      const next = await listing.next()
      assert.deepEqual(next.value, bundled(nameOf(first), first))
    }
    const rest = []
    for await (const entry of listDirectory(objects, directory, { after: utf8(nameOf(2900)) }))
      rest.push(entry)
    assert.equal(rest.length, 99)
    objects.reads = 0
    const end = listDirectory(objects, directory, { after: utf8(nameOf(2999)) })
    assert.equal((await end.next()).done, true)
    assert.equal(objects.reads, 1)
  })

  it('finds no name that is not there', async () => {
    const { objects, directory } = await built(many(1000))
    for (const name of ['', 'a', `${nameOf(500)}\0`, nameOf(1000), 'z', '__proto__'])
      assert.equal(await findEntry(objects, directory, utf8(name)), undefined)
    const empty = await built([])
    assert.equal(await findEntry(empty.objects, empty.directory, utf8('a')), undefined)
    assert.deepEqual(await listAll(empty.objects, empty.directory), [])
    for await (const page of listPages(empty.objects, empty.directory)) assert.ok(page.length > 0)
  })

  it('keeps every kind of entry as it was, and every byte that a name can have', async () => {
    const { objects, directory: below } = await built([lit('x')])
    const [file] = many(1)
    const compressed = { compression: 'brotli' as const, plaintextBytes: 2 ** 24, storedBytes: 9 }
    const meta = {
      uid: 2 ** 32 - 1,
      gid: 0,
      owner: '__proto__',
      group: 'ö'.repeat(127),
      xattrs: [
        { name: utf8('security.capability'), value: Uint8Array.of(0, 255) },
        { name: utf8('user.empty'), value: new Uint8Array(0) },
      ],
      hardLink: 2 ** 53 - 1,
      fuzzy: true as const,
    }
    const device = { device: { major: 8, minor: 2 ** 32 - 1 } }
    const entries: DirectoryEntry[] = [
      { ...lit('\n'), meta: {} },
      { ...lit('\u001b[31m'), mtime: { seconds: -(2 ** 52), nanoseconds: 999_999_999 } },
      { ...lit(' '), mode: 0o7777, mtime: { seconds: 2 ** 52, nanoseconds: 0 } },
      { ...lit('...'), content: new Uint8Array(0) },
      { ...file, name: utf8('__proto__'), content: { ...file.content, ...compressed } },
      { ...lit('a'), kind: 'fifo', content: undefined },
      { ...lit('b'), kind: 'char-device', content: undefined, meta: device },
      { ...lit('c'), kind: 'block-device', content: undefined, meta: { ...meta, ...device } },
      { ...lit('constructor'), kind: 'directory', content: below },
      { ...lit('d'), kind: 'tree', content: { ...below, plaintextBytes: 2 ** 53 - 1 } },
      { ...lit('e'), kind: 'symlink', content: utf8('../../etc/passwd') },
      { ...file, name: utf8('f') },
      { ...lit('g'), meta, content: new Uint8Array(64) },
      lit('x'.repeat(1024)),
      lit(Uint8Array.of(0x80, 0xff, 0xfe)),
      lit(Uint8Array.of(0xff)),
    ]
    const sink = new LoneNodes(objects.store)
    const directory = await writeDirectory({ keys, sink }, entries)
    assert.deepEqual(await listAll(objects, directory), entries)
    for (const entry of entries)
      assert.deepEqual(await findEntry(objects, directory, entry.name), entry)
  })

  describe('caps', () => {
    it('name a directory, and weaken to what verifies it', async () => {
      const { objects, directory } = await built(many(10))
      const text = formatCap(capOfDirectory(directory))
      const cap = parseCap(text)
      assert.ok(cap.type === 'DIR-CHK')
      assert.deepEqual(await resolveDirectory(objects, directoryOfCap(cap)), directory)
      const verifier = attenuate(cap, 'DIR-CHK-Verifier')
      assert.equal(verifyNameOf(verifier)?.offset, directory.offset)
    })

    it('name what an entry holds', () => {
      const [file, second] = many(2)
      assert.equal(capOfEntry(file)?.type, 'CHK')
      assert.equal(capOfEntry(lit('a'))?.type, 'LIT')
      assert.equal(capOfEntry({ ...lit('a'), kind: 'fifo', content: undefined }), undefined)
      const cap = capOfEntry(second)
      assert.ok(cap?.type === 'CHK-Slice')
      const { root, k, n } = second.content.object
      assert.deepEqual(streamOfCap(cap), { ...second.content, object: { root, k, n } })
      assert.deepEqual(parseCap(formatCap(cap)), cap)
    })
  })

  describe('refuses', () => {
    /** A directory of one node above two of these names, as its rows say. */
    async function above(
      names: readonly string[][],
      lastNames: readonly string[],
      depth = 1,
    ): Promise<unknown> {
      const objects = new MemoryObjects()
      const sink = new LoneNodes(objects.store)
      const rows: NodeRow[] = []
      for (const [i, list] of names.entries()) {
        const node = { depth: 0, rows: list.map((name) => lit(name)) } as DirectoryNode
        const ref = await sink.put(() => sealDirectoryNode(keys, node))
        rows.push({ name: utf8(lastNames[i]), node: ref })
      }
      const root = await sink.put(() => sealDirectoryNode(keys, { depth, rows }))
      const found = await findEntry(objects, root, utf8(names[1]?.[0] ?? 'z')).catch(
        (error: unknown) => error,
      )
      const listed = await listAll(objects, root).catch((error: unknown) => error)
      return isGridError(found) ? found : listed
    }

    const cases: [string, Promise<unknown>][] = [
      ['a node that ends before its parent says', above([['a'], ['c']], ['a', 'd'])],
      ['a node that ends after its parent says', above([['a'], ['c', 'e']], ['a', 'd'])],
      ['a name that the node before reaches to', above([['b'], ['a', 'c']], ['b', 'c'])],
      ['the same name in two nodes', above([['a'], ['a', 'c']], ['a', 'c'])],
      ['a node of another depth', above([['a'], ['c']], ['a', 'c'], 2)],
      ['an empty node below another', above([['a'], []], ['a', 'z'])],
    ]
    for (const [name, outcome] of cases) {
      it(name, async () => {
        assert.ok(isGridError(await outcome, 'E_NODE'), String(await outcome))
      })
    }

    it('nothing of what such a directory would be otherwise', async () => {
      const listed = (await above([['a'], ['c']], ['a', 'c'])) as DirectoryEntry[]
      assert.deepEqual(
        listed.map(({ name }) => toHex(name)),
        ['61', '63'],
      )
    })

    it('another key, another length, another place', async () => {
      const { objects, directory } = await built(many(3))
      const wrong: [Partial<DirectoryRef>, string][] = [
        [{ readKey: new Uint8Array(32) }, 'E_COMMIT'],
        [{ offset: 1 }, 'E_COMMIT'],
        [{ sliceBytes: directory.sliceBytes - 1 }, 'E_NODE'],
        [{ sliceBytes: directory.sliceBytes + 1 }, 'E_NODE'],
        [{ sliceBytes: 2 ** 20 }, 'E_SIZE'],
      ]
      for (const [change, code] of wrong) {
        await assert.rejects(listAll(objects, { ...directory, ...change }), (error) => {
          return isGridError(error) && error.code === code
        })
      }
    })
  })
})
