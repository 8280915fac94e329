import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, toHex, u32be } from '../../src/base/bytes.ts'
import type { CborValue } from '../../src/base/cbor.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { convergenceKeys, readKeyOf, verifyKeyOf } from '../../src/caps/keys.ts'
import { seal } from '../../src/encoding/seal.ts'
import {
  type ChildRow,
  coveredBytes,
  type ExtentRow,
  openFileNode,
  rowsPerNode,
  sealFileNode,
} from '../../src/tree/file-node.ts'
import { extentsOf } from '../../src/tree/file-reader.ts'
import { FileTreeWriter } from '../../src/tree/file-writer.ts'
import { LoneNodes } from '../../src/tree/node-sink.ts'
import { openRefs, sealNode } from '../../src/tree/node-slice.ts'
import { parseRefs, type ObjectRef } from '../../src/tree/refs.ts'
import { plainStream } from '../../src/tree/stream-row.ts'

const keys = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))

function objectRef(i: number): ObjectRef {
  return { root: sha256(u32be(i)), k: 3, n: 10, ciphertextBytes: 2 ** 21 }
}

function extent(i: number): ExtentRow {
  return plainStream(objectRef(i), 1000 + (i % 7), sha256(u32be(i), u32be(1)))
}

/** Slices by the root of the object that they would be in. */
class MemorySlices {
  readonly #slices = new Map<string, Uint8Array>()
  read = 0

  write = async (slice: Uint8Array): Promise<ObjectRef> => {
    const ref = { ...objectRef(0), root: sha256(slice) }
    this.#slices.set(toHex(ref.root), slice)
    return ref
  }

  open = async ({ object, readKey }: Pick<ChildRow, 'object' | 'readKey'>) => {
    this.read++
    return openFileNode(this.#slices.get(toHex(object.root))!, readKey)
  }
}

async function build(count: number): Promise<{ root: ChildRow; slices: MemorySlices }> {
  const slices = new MemorySlices()
  const writer = new FileTreeWriter(keys, new LoneNodes(slices.write))
  for (let i = 0; i < count; i++) await writer.add(extent(i))
  return { root: await writer.finish(), slices }
}

function refuses(bytes: Uint8Array, readKey: Uint8Array, ...codes: ErrorCode[]): void {
  assert.throws(
    () => openFileNode(bytes, readKey),
    (error) => isGridError(error, ...codes),
  )
}

describe('file tree', () => {
  it('opens what it sealed, and takes the same extents to the same slice', () => {
    const rows = [extent(0), extent(1), extent(0)]
    const one = sealFileNode(keys, { depth: 0, rows })
    const two = sealFileNode(keys, { depth: 0, rows })
    assert.deepEqual(one, two)
    assert.deepEqual(openFileNode(concat(one.slice, new Uint8Array(99)), one.readKey), {
      depth: 0,
      rows,
    })
  })

  it('shows a verify key the objects and nothing else', () => {
    const { slice, readKey } = sealFileNode(keys, {
      depth: 0,
      rows: [extent(0), extent(1), extent(0)],
    })
    const refs = parseRefs(openRefs(slice, 'tree', verifyKeyOf(readKey)))
    assert.deepEqual(refs, {
      objects: [objectRef(0), objectRef(1)],
      children: [],
      self: undefined,
    })
    refuses(slice, verifyKeyOf(readKey), 'E_COMMIT')
  })

  it('stands alone while the rows fit one node, and grows a level when they do not', async () => {
    const alone = await build(rowsPerNode)
    assert.equal((await alone.slices.open(alone.root)).depth, 0)
    const taller = await build(rowsPerNode + 1)
    const root = await taller.slices.open(taller.root)
    assert.equal(root.depth, 1)
    assert.deepEqual(
      root.rows.map(({ plaintextBytes }) => plaintextBytes),
      [
        coveredBytes({ depth: 0, rows: Array.from({ length: rowsPerNode }, (_, i) => extent(i)) }),
        1000 + (rowsPerNode % 7),
      ],
    )
  })

  it('finds the extents of a range without reading other nodes', async () => {
    const { root, slices } = await build(3 * rowsPerNode)
    const node = await slices.open(root)
    slices.read = 0
    const nearEnd = coveredBytes(node) - 1500
    const found = []
    for await (const { startByte, plaintextBytes } of extentsOf(
      node,
      nearEnd,
      nearEnd + 10,
      slices.open,
    )) {
      found.push([startByte <= nearEnd, nearEnd < startByte + plaintextBytes])
    }
    assert.deepEqual(found, [[true, true]])
    assert.equal(slices.read, 1)
  })

  it('yields every extent of the whole file in order', async () => {
    const { root, slices } = await build(rowsPerNode + 5)
    let at = 0
    for await (const { startByte, plaintextBytes } of extentsOf(
      await slices.open(root),
      0,
      Infinity,
      slices.open,
    )) {
      assert.equal(startByte, at)
      at += plaintextBytes
    }
    assert.equal(at, root.plaintextBytes)
  })

  it('refuses a child that covers other bytes than its parent says', async () => {
    const { root, slices } = await build(rowsPerNode + 1)
    const node = await slices.open(root)
    const [first] = node.rows as ChildRow[]
    const lying = { depth: 1, rows: [{ ...first, plaintextBytes: 5 }] }
    await assert.rejects(extentsOf(lying, 0, 1, slices.open).next(), (error) =>
      isGridError(error, 'E_NODE'),
    )
  })

  describe('refuses', () => {
    const ref: CborValue = [sha256(), 3, 10, 4096]
    const row: CborValue = [1, 0, 100, sha256()]
    const cases: Record<string, [refs: CborValue, rows: CborValue]> = {
      'another version': [
        [2, [ref], []],
        [1, 0, [row]],
      ],
      'rows of another version': [
        [1, [ref], []],
        [2, 0, [row]],
      ],
      'no rows': [
        [1, [ref], []],
        [1, 0, []],
      ],
      'a row of an object that is not there': [
        [1, [ref], []],
        [1, 0, [[2, 0, 100, sha256()]]],
      ],
      'object number 0, which is for bundles': [
        [1, [ref], []],
        [1, 0, [[0, 0, 100, sha256()]]],
      ],
      'an extent past the end of its object': [
        [1, [ref], []],
        [1, 0, [[1, 3965, 100, sha256()]]],
      ],
      'an empty extent': [
        [1, [ref], []],
        [1, 0, [[1, 0, 0, sha256()]]],
      ],
      'an extent larger than its object': [
        [1, [ref], []],
        [1, 0, [[1, 0, 4096, sha256()]]],
      ],
      'a short key': [
        [1, [ref], []],
        [1, 0, [[1, 0, 100, sha256().subarray(1)]]],
      ],
      'k above n': [
        [1, [[sha256(), 4, 3, 4096]], []],
        [1, 0, [row]],
      ],
      'an object named twice': [
        [1, [ref, ref], []],
        [1, 0, [row]],
      ],
      'a depth beyond the limit': [
        [1, [ref], []],
        [1, 9, [row]],
      ],
      'a child past the end of its object': [
        [1, [ref], [[1, 4000, 200, sha256()]]],
        [1, 1, [[0, 100, sha256()]]],
      ],
      'a row without its child': [
        [1, [ref], []],
        [1, 1, [[0, 100, sha256()]]],
      ],
      'a size that is a text': [
        [1, [ref], []],
        [1, 0, [[1, 0, '100', sha256()]]],
      ],
      'a negative size': [
        [1, [ref], []],
        [1, 0, [[1, 0, -1, sha256()]]],
      ],
    }
    for (const [name, [refs, rows]] of Object.entries(cases)) {
      it(name, () => {
        const { slice, readKey } = sealNode(keys, 'tree', refs, rows)
        refuses(slice, readKey, 'E_NODE')
      })
    }

    it('a node of a directory', () => {
      const { slice, readKey } = sealNode(keys, 'dir', [1, [ref], []], [1, 0, [row]])
      refuses(slice, readKey, 'E_COMMIT')
    })

    it('a length that runs past the slice, and CBOR that is not canonical', () => {
      for (const plain of [u32be(2 ** 31), concat(u32be(2), Uint8Array.of(0x18, 0x01))]) {
        const readKey = readKeyOf(keys, 'tree', plain)
        refuses(seal('treev', verifyKeyOf(readKey), plain), readKey, 'E_NODE', 'E_CBOR')
      }
    })

    it('a slice cut anywhere', () => {
      const { slice, readKey } = sealNode(keys, 'tree', [1, [ref], []], [1, 0, [row]])
      for (let length = 0; length < slice.length; length++) {
        refuses(slice.subarray(0, length), readKey, 'E_NODE', 'E_COMMIT')
      }
    })
  })

  it('keeps the largest node within its limits', () => {
    const rows = Array.from({ length: rowsPerNode }, (_, i) => ({
      ...extent(i),
      plaintextBytes: 2 ** 21 - 32,
      storedBytes: 2 ** 21 - 32,
    }))
    const { slice, readKey } = sealFileNode(keys, { depth: 0, rows })
    assert.ok(slice.length < 2 * 2 ** 21)
    assert.equal(openFileNode(slice, readKey).rows.length, rowsPerNode)
  })
})
