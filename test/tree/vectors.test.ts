/** The vectors of docs/specs/tree.md, made by another implementation (test/second/tree.py). */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { fromHex, toHex, u32be } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { convergenceKeys, verifyKeyOf } from '../../src/caps/keys.ts'
import { compressions } from '../../src/encoding/compression.ts'
import type { Coding } from '../../src/encoding/descriptor.ts'
import { encodeObject, pad } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import {
  type ChildRow,
  type ExtentRow,
  type FileNode,
  openFileNode,
  sealFileNode,
} from '../../src/tree/file-node.ts'
import { extentsOf } from '../../src/tree/file-reader.ts'
import { FileTreeWriter } from '../../src/tree/file-writer.ts'
import { LoneNodes } from '../../src/tree/node-sink.ts'
import { openRefs } from '../../src/tree/node-slice.ts'
import { parseRefs } from '../../src/tree/refs.ts'
import { plainStream } from '../../src/tree/stream-row.ts'
import { checkVector, readVectors, shown } from '../vectors/read.ts'

interface PlainRow extends Coding {
  root: string
  ciphertextBytes: number
  /** Above depth 0. */
  sliceBytes?: number
  plaintextBytes: number
  readKey: string
  /** Where it is not 0, and where it is compressed. */
  offset?: number
  codec?: number
  storedBytes?: number
}

type RowsInput = PlainRow[] | { gen: 'rows'; count: number }

const cases = readVectors('tree')
const code = openErasureCode()

function rowsOf(input: RowsInput): ChildRow[] {
  if (!Array.isArray(input)) return Array.from({ length: input.count }, (_, i) => generatedRow(i))
  return input.map(({ root, readKey, sliceBytes = 0, plaintextBytes, ...object }) => ({
    object: { ...object, root: fromHex(root) },
    offset: 0,
    sliceBytes,
    plaintextBytes,
    readKey: fromHex(readKey),
  }))
}

function generatedRow(i: number): ChildRow {
  return {
    object: { root: sha256(u32be(i)), k: 3, n: 10, ciphertextBytes: 2 ** 21 },
    offset: 0,
    sliceBytes: 1000,
    plaintextBytes: 1_000_000 + i,
    readKey: sha256(u32be(i), Uint8Array.of(1)),
  }
}

function nodeOf(depth: number, rows: readonly ChildRow[]): FileNode {
  return depth === 0 ? { depth: 0, rows: rows.map(extentOf) } : { depth, rows }
}

function extentOf({ object, plaintextBytes, readKey }: ChildRow): ExtentRow {
  return plainStream(object, plaintextBytes, readKey)
}

function plain(row: ExtentRow | ChildRow): PlainRow {
  const { root, ...object } = row.object
  return {
    ...object,
    root: toHex(root),
    ...('sliceBytes' in row ? { sliceBytes: row.sliceBytes } : {}),
    plaintextBytes: row.plaintextBytes,
    readKey: toHex(row.readKey),
    ...(row.offset === 0 ? {} : { offset: row.offset }),
    ...('compression' in row && row.compression !== 'stored'
      ? { codec: compressions.indexOf(row.compression), storedBytes: row.storedBytes }
      : {}),
  }
}

const operations = {
  node({ secret, depth, rows }: { secret: string; depth: number; rows: RowsInput }) {
    const node = nodeOf(depth, rowsOf(rows))
    const { slice, readKey } = sealFileNode(convergenceKeys(fromHex(secret)), node)
    assert.deepEqual(openFileNode(slice, readKey), node)
    return {
      readKey: toHex(readKey),
      verifyKey: toHex(verifyKeyOf(readKey)),
      sliceBytes: slice.length,
      slice: shown(slice),
    }
  },
  'node-open'({ slice, readKey }: { slice: string; readKey: string }) {
    const { depth, rows } = openFileNode(fromHex(slice), fromHex(readKey))
    return { depth, rows: rows.map(plain) }
  },
  async 'node-below'(given: {
    slice: string
    readKey: string
    depth: number
    plaintextBytes: number
  }) {
    const { depth, plaintextBytes } = given
    const root = { depth, rows: [{ ...generatedRow(0), plaintextBytes }] }
    const readNode = async () => openFileNode(fromHex(given.slice), fromHex(given.readKey))
    const extents = []
    for await (const extent of extentsOf(root, 0, plaintextBytes, readNode)) extents.push(extent)
    return { extents: extents.length }
  },
  'node-verify'({ slice, verifyKey }: { slice: string; verifyKey: string }) {
    const { objects, children } = parseRefs(openRefs(fromHex(slice), 'tree', fromHex(verifyKey)))
    return {
      objects: objects.map(({ root, k, n, ciphertextBytes }) => [
        toHex(root),
        k,
        n,
        ciphertextBytes,
      ]),
      children: children.map(({ object, offset, sliceBytes, verifyKey }) => [
        toHex(object.root),
        offset,
        sliceBytes,
        toHex(verifyKey),
      ]),
    }
  },
  async tree(given: Coding & { secret: string; rows: RowsInput }) {
    const keys = convergenceKeys(fromHex(given.secret))
    const coding = { k: given.k, n: given.n }
    const slices: Uint8Array[] = []
    const sink = new LoneNodes(async (slice) => {
      slices.push(slice)
      const ciphertext = new Uint8Array(paddedLength(slice.length))
      ciphertext.set(slice)
      pad(ciphertext, slice.length, keys.pad)
      const { root } = encodeObject(ciphertext, coding, code)
      return { ...coding, root, ciphertextBytes: ciphertext.length }
    })
    const writer = new FileTreeWriter(keys, sink)
    for (const row of rowsOf(given.rows)) await writer.add(extentOf(row))
    const { object, readKey, plaintextBytes, sliceBytes } = await writer.finish()
    return {
      root: toHex(object.root),
      readKey: toHex(readKey),
      depth: openFileNode(slices[slices.length - 1], readKey).depth,
      nodes: slices.length,
      sizeBytes: plaintextBytes,
      sliceBytes,
    }
  },
}

describe('tree vectors', () => {
  for (const vector of cases) {
    it(vector.id, async () => {
      await checkVector(vector, operations)
    })
  }

  it('are negative in two of five or more', () => {
    assert.ok(cases.filter(({ error }) => error !== undefined).length >= cases.length * 0.4)
  })
})
