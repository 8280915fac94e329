/** The vectors of docs/specs/directory.md, made by another implementation (test/second/directory.py). */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { compareBytes, concat, fromHex, readU32be, toHex } from '../../src/base/bytes.ts'
import { GridError } from '../../src/base/errors.ts'
import { hmac, sha256 } from '../../src/base/hash.ts'
import type { DirChkCap } from '../../src/caps/cap.ts'
import {
  type ConvergenceKeys,
  convergenceKeys,
  nodeCutKeyOf,
  verifyKeyOf,
} from '../../src/caps/keys.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import type { Coding } from '../../src/encoding/descriptor.ts'
import { encodeObject, pad } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { capOfDirectory, directoryOfCap } from '../../src/tree/directory-cap.ts'
import { isEntries, openDirectoryNode } from '../../src/tree/directory-node.ts'
import { findEntry, listDirectory } from '../../src/tree/directory-reader.ts'
import { nodeRows } from '../../src/tree/directory-tree.ts'
import { changeDirectory, writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryRef } from '../../src/tree/entry.ts'
import { NodeCutter } from '../../src/tree/node-end.ts'
import { LoneNodes, NodeBundler, type NodeSink } from '../../src/tree/node-sink.ts'
import type { ObjectName, ObjectRef } from '../../src/tree/refs.ts'
import type { CheckedSlice, SliceReader } from '../../src/tree/slice-reader.ts'
import { type VerifyName, walkVerify } from '../../src/tree/verify-walk.ts'
import { checkVector, readVectors } from '../vectors/read.ts'
import {
  entriesOf,
  entryOf,
  type PlainEntries,
  type PlainEntry,
  plainEntry,
} from './vector-entries.ts'

const cases = readVectors('directory')
const code = openErasureCode()

/** Objects by root: what a vector says is in them, or what was stored. */
class Objects implements SliceReader {
  readonly contents = new Map<string, Uint8Array>()

  constructor(given: Record<string, string> = {}) {
    for (const [root, content] of Object.entries(given)) this.contents.set(root, fromHex(content))
  }

  storing(keys: ConvergenceKeys, coding: Coding): (content: Uint8Array) => Promise<ObjectRef> {
    return async (content) => {
      const ciphertext = new Uint8Array(paddedLength(content.length))
      ciphertext.set(content)
      pad(ciphertext, content.length, keys.pad)
      const { root } = encodeObject(ciphertext, coding, code)
      this.contents.set(toHex(root), ciphertext)
      return { ...coding, root, ciphertextBytes: ciphertext.length }
    }
  }

  async readSlice(
    { root }: ObjectName,
    offset: number,
    sliceBytes: number | undefined,
  ): Promise<CheckedSlice> {
    const content = this.contents.get(toHex(root))
    if (content === undefined) throw new GridError('E_NOT_ENOUGH_SHARES', 'no such object')
    const end = sliceBytes === undefined ? content.length : offset + sliceBytes
    return { bytes: content.subarray(offset, end), ciphertextBytes: content.length }
  }
}

/** Slices in the order in which a sink took them, as they were sealed last. */
function recorded(sink: NodeSink): { sink: NodeSink; slices: Uint8Array[] } {
  const slices: Uint8Array[] = []
  const put: NodeSink['put'] = async (seal) => {
    let last: Uint8Array = new Uint8Array(0)
    const ref = await sink.put((self) => {
      const sealed = seal(self)
      last = sealed.slice
      return sealed
    })
    slices.push(last)
    return ref
  }
  return { sink: { put }, slices }
}

/** Each once: where a vector's reference tells another length than its content has, that is another object. */
async function rootsBelow(reader: SliceReader, top: VerifyName): Promise<string[]> {
  const roots = new Set<string>()
  for await (const { root } of walkVerify(reader, top)) roots.add(toHex(root))
  return [...roots].sort()
}

interface ListInput {
  objects: Record<string, string>
  cap: string
}

const operations = {
  'directory-cut'(given: { secret: string; depth: number; name: string }) {
    const keys = convergenceKeys(fromHex(given.secret))
    const name = fromHex(given.name)
    const number = readU32be(hmac(nodeCutKeyOf(keys), Uint8Array.of(given.depth), name), 0)
    return { number, ends: new NodeCutter(keys).endsAfter(given.depth, name) }
  },
  async directory(
    given: Coding & {
      secret: string
      placement: 'alone' | 'bundles'
      directories: PlainEntries[]
      verified?: false
    },
  ) {
    const keys = convergenceKeys(fromHex(given.secret))
    const objects = new Objects()
    const store = objects.storing(keys, { k: given.k, n: given.n })
    const bundler = new NodeBundler(store)
    const { sink, slices } = recorded(given.placement === 'alone' ? new LoneNodes(store) : bundler)
    const written: DirectoryRef[] = []
    for (const directory of given.directories)
      written.push(await writeDirectory({ keys, sink }, entriesOf(directory, written)))
    await bundler.finish()
    const out = {
      caps: written.map((ref) => formatCap(capOfDirectory(ref))),
      slices: slices.length,
      slicesSha256: toHex(sha256(concat(...slices))),
      objects: [...objects.contents.keys()],
    }
    if (given.verified === false) return out
    const { object, offset, readKey } = written[written.length - 1]
    const top = { object, offset, verifyKey: verifyKeyOf(readKey) }
    return { ...out, below: await rootsBelow(objects, top) }
  },
  async 'directory-change'(
    given: Coding & {
      secret: string
      entries: PlainEntries
      changes: (PlainEntry | { name: string })[]
    },
  ) {
    const keys = convergenceKeys(fromHex(given.secret))
    const reader = new Objects()
    const sink = new LoneNodes(reader.storing(keys, { k: given.k, n: given.n }))
    const old = await writeDirectory({ keys, sink }, entriesOf(given.entries))
    const changes = given.changes.map((change) => ({
      name: fromHex(change.name),
      entry: 'kind' in change ? entryOf(change) : undefined,
    }))
    changes.sort((a, b) => compareBytes(a.name, b.name))
    return {
      cap: formatCap(capOfDirectory(await changeDirectory({ keys, reader, sink }, old, changes))),
    }
  },
  'directory-open'(given: {
    object: Coding & { root: string; ciphertextBytes: number }
    offset: number
    slice: string
    readKey: string
  }) {
    const object = { ...given.object, root: fromHex(given.object.root) }
    const place = { object, offset: given.offset }
    const node = openDirectoryNode(fromHex(given.slice), fromHex(given.readKey), place)
    if (isEntries(node))
      return { depth: 0, entries: node.rows.map((entry) => plainEntry(entry, object)) }
    const children = nodeRows(node).map(({ name, node }) => [
      toHex(name),
      node.sliceBytes,
      toHex(node.readKey),
    ])
    return { depth: node.depth, children }
  },
  async 'directory-list'({ objects, cap, behind }: ListInput & { behind?: string }) {
    const names: string[] = []
    const options = behind === undefined ? {} : { after: fromHex(behind) }
    for await (const { name } of listDirectory(new Objects(objects), nameOfCap(cap), options))
      names.push(toHex(name))
    return { names }
  },
  async 'directory-find'({ objects, cap, name }: ListInput & { name: string }) {
    const directory = nameOfCap(cap)
    const entry = await findEntry(new Objects(objects), directory, fromHex(name))
    return { entry: entry === undefined ? null : plainEntry(entry, directory.object) }
  },
  async 'directory-verify'(
    given: Coding & {
      objects: Record<string, string>
      verifyKey: string
      root: string
      offset: number
    },
  ) {
    const object = { root: fromHex(given.root), k: given.k, n: given.n }
    const top = { object, offset: given.offset, verifyKey: fromHex(given.verifyKey) }
    return { roots: await rootsBelow(new Objects(given.objects), top) }
  },
}

function nameOfCap(text: string): ReturnType<typeof directoryOfCap> {
  return directoryOfCap(parseCap(text) as DirChkCap)
}

describe('directory vectors', () => {
  for (const vector of cases) {
    it(vector.id, async () => {
      await checkVector(vector, operations)
    })
  }

  it('are negative in two of five or more', () => {
    assert.ok(cases.filter(({ error }) => error !== undefined).length >= cases.length * 0.4)
  })
})
