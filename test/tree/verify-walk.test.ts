import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, toHex, u32be, utf8 } from '../../src/base/bytes.ts'
import { type CborValue, encodeCbor } from '../../src/base/cbor.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { verifyKeyOf } from '../../src/caps/keys.ts'
import { seal } from '../../src/encoding/seal.ts'
import { sealDirectoryNode } from '../../src/tree/directory-node.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryRef } from '../../src/tree/entry.ts'
import { sealFileNode } from '../../src/tree/file-node.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { sealNode } from '../../src/tree/node-slice.ts'
import { LoneNodes, NodeBundler } from '../../src/tree/node-sink.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import { plainStream } from '../../src/tree/stream-row.ts'
import { type VerifyName, WalkMemory, walkVerify } from '../../src/tree/verify-walk.ts'
import { bundled, keys, lit, nameOf } from './entries.ts'
import { MemoryObjects } from './memory-objects.ts'

function verifyName({ object, offset, readKey }: NodeName): VerifyName {
  return { object, offset, verifyKey: verifyKeyOf(readKey) }
}

async function walked(objects: MemoryObjects, top: VerifyName): Promise<string[]> {
  const found: string[] = []
  for await (const { root } of walkVerify(objects, top)) found.push(toHex(root))
  assert.equal(new Set(found).size, found.length, 'each once')
  return found.sort()
}

async function refuses(objects: MemoryObjects, top: VerifyName, code: string): Promise<void> {
  await assert.rejects(walked(objects, top), (error) => isGridError(error) && error.code === code)
}

/** Directories inside each other, the deepest first, all in bundles. */
async function nested(objects: MemoryObjects, levels: number): Promise<DirectoryRef> {
  const bundler = new NodeBundler(objects.store)
  let ref = await bundler.put((self) => sealDirectoryNode(keys, { depth: 0, rows: [] }, self))
  for (let i = 1; i < levels; i++) {
    const content = ref
    const rows = [{ ...lit('d'), kind: 'directory' as const, content }]
    ref = await bundler.put((self) => sealDirectoryNode(keys, { depth: 0, rows }, self))
  }
  await bundler.finish()
  return ref
}

describe('verify walk', () => {
  it('comes to every object of a directory, of files in it and of what is below it', async () => {
    const objects = new MemoryObjects()
    const bundler = new NodeBundler(objects.store)
    const extents = [1, 2, 3].map((i) => plainStream(refOf(`extent ${i}`), 1000, sha256()))
    const node = await bundler.put((self) => sealFileNode(keys, { depth: 0, rows: extents }, self))
    const below = await writeDirectory(
      { keys, sink: bundler },
      Array.from({ length: 2000 }, (_, i) => bundled(nameOf(i), i)),
    )
    const directory = await writeDirectory({ keys, sink: bundler }, [
      lit('a'),
      { ...lit('b'), kind: 'tree', content: { ...node, plaintextBytes: 3000 } },
      { ...lit('c'), kind: 'directory', content: below },
      { ...lit('d'), kind: 'directory', content: below },
    ])
    await bundler.finish()
    const expected = new Set([
      toHex(directory.object.root),
      ...extents.map(({ object }) => toHex(object.root)),
      ...Array.from({ length: 2000 }, (_, i) => toHex(bundled('', i).content.object.root)),
    ])
    objects.reads = 0
    assert.deepEqual(await walked(objects, verifyName(directory)), [...expected].sort())
    assert.ok(objects.reads < 20, 'what is shared is read once')
    assert.deepEqual(
      await walked(objects, verifyName(node)),
      [toHex(node.object.root), ...extents.map(({ object }) => toHex(object.root))].sort(),
    )
  })

  it('takes a key that fits nothing at the top for that of a plain object, and no other', async () => {
    const objects = new MemoryObjects()
    const directory = await nested(objects, 3)
    const plain = { object: directory.object, offset: 0, verifyKey: sha256() }
    assert.deepEqual(await walked(objects, plain), [toHex(directory.object.root)])
    await refuses(objects, { ...plain, offset: 1 }, 'E_COMMIT')
    const sink = new LoneNodes(objects.store)
    const lying = await sink.put(() =>
      sealNode(
        keys,
        'dir',
        [1, [rowOf(directory.object)], [[1, directory.offset, 200, sha256()]]],
        [1, 0, []],
      ),
    )
    await refuses(objects, verifyName(lying), 'E_COMMIT')
  })

  it('takes nothing for a plain object where the top must be a node', async () => {
    const objects = new MemoryObjects()
    const { object } = await nested(objects, 3)
    const walk = walkVerify(objects, { object, offset: 0, verifyKey: sha256() }, { isNode: true })
    await assert.rejects(walk.next(), (error) => isGridError(error, 'E_COMMIT'))
  })

  it('follows directories 8,000 deep, and refuses a bomb of more levels than there are paths', async () => {
    const objects = new MemoryObjects()
    const found = await walked(objects, verifyName(await nested(objects, 8000)))
    assert.equal(found.length, objects.size)
    await refuses(objects, verifyName(await nested(objects, 2 ** 13 + 2)), 'E_NODE')
  }).timeout(60_000)

  it('hides nothing from a walk behind what another tells of it otherwise', async () => {
    const objects = new MemoryObjects()
    const leaf = bundled('leaf', 1)
    const sink = new LoneNodes(objects.store)
    const honest = await sink.put((self) =>
      sealDirectoryNode(keys, { depth: 0, rows: [leaf] }, self),
    )
    const { root, k, n, ciphertextBytes } = leaf.content.object
    const verifyKey = verifyKeyOf(honest.readKey)
    // names the node with a slice that is too short, and the leaf with codings and a length it has not
    const lying = await Promise.all(
      [
        [root, 1, 1, ciphertextBytes],
        [root, k, n, ciphertextBytes + 1024],
        [root, k, 255, ciphertextBytes],
      ].map((row) =>
        sink.put(() =>
          sealNode(
            keys,
            'dir',
            [1, [rowOf(honest.object), row], [[1, honest.offset, 40, verifyKey]]],
            [1, 0, []],
          ),
        ),
      ),
    )
    const memory = new WalkMemory()
    const found: ObjectRef[] = []
    const hidden: string[] = []
    const onHidden = (_: VerifyName, { code }: { code: string }): number => hidden.push(code)
    for (const top of [...lying, honest])
      for await (const each of walkVerify(objects, verifyName(top), { memory, onHidden }))
        found.push(each)
    assert.deepEqual(hidden, ['E_NODE'])
    const same = found.filter((each) => toHex(each.root) === toHex(root))
    assert.deepEqual(same.at(-1), leaf.content.object)
    assert.equal(same.length, 4)
  })

  it('comes to all of what a walk before it has met too deep', async () => {
    const objects = new MemoryObjects()
    const sink = new LoneNodes(objects.store)
    let ref = await sink.put((self) =>
      sealDirectoryNode(keys, { depth: 0, rows: [bundled('leaf', 1)] }, self),
    )
    const above = async (): Promise<void> => {
      const rows = [{ ...lit('d'), kind: 'directory' as const, content: ref }]
      ref = await sink.put((self) => sealDirectoryNode(keys, { depth: 0, rows }, self))
    }
    for (let i = 0; i < 3; i++) await above()
    const honest = ref
    const expected = await walked(objects, verifyName(honest))
    for (let i = 0; i < 2 ** 13 - 1; i++) await above()
    const memory = new WalkMemory()
    let hidden = 0
    const found = new Set<string>()
    for (const top of [ref, honest])
      for await (const { root } of walkVerify(objects, verifyName(top), {
        memory,
        onHidden: () => hidden++,
      }))
        found.add(toHex(root))
    assert.equal(hidden, 1)
    for (const root of expected) assert.ok(found.has(root))
  }).timeout(60_000)

  it('refuses a node that names itself, or what lies behind it in its own object', async () => {
    for (const offset of [0, 200]) {
      const objects = new MemoryObjects()
      const key = sha256(utf8('any'))
      const refs: CborValue = [1, [], [[0, offset, 180, verifyKeyOf(key)]]]
      // Sealed under a key that its maker chose: the node's own reference can name it then.
      const slice = sealUnder(key, refs)
      const object = await objects.store(concat(slice, new Uint8Array(200), slice))
      await refuses(objects, { object, offset: 0, verifyKey: verifyKeyOf(key) }, 'E_NODE')
    }
  })

  it('passes the refusal of a malformed node on', async () => {
    const objects = new MemoryObjects()
    const sink = new LoneNodes(objects.store)
    const node = await sink.put(() => sealNode(keys, 'dir', [1, [], [[1, 0, 0, sha256()]]], []))
    await refuses(objects, verifyName(node), 'E_NODE')
  })
})

function refOf(name: string): ObjectRef {
  return { root: sha256(utf8(name)), k: 3, n: 10, ciphertextBytes: 4096 }
}

function sealUnder(readKey: Uint8Array, refs: CborValue): Uint8Array {
  const [refsPart, rowsPart] = [refs, [1, 0, []]].map((value) => {
    const content = encodeCbor(value)
    return concat(u32be(content.length), content)
  })
  return concat(seal('dirv', verifyKeyOf(readKey), refsPart), seal('dir', readKey, rowsPart))
}

function rowOf({ root, k, n, ciphertextBytes }: ObjectRef): CborValue {
  return [root, k, n, ciphertextBytes]
}
