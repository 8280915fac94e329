/**
 * The second implementation (test/second/read_file.py, from the specs alone) reads what this one
 * stored, from the folders of an embedded grid and a cap, byte for byte.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'mocha'
import { equalBytes, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { convergenceKeys } from '../../src/caps/keys.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { keystream } from '../../src/encoding/seal.ts'
import { makeHome, openGrid } from '../../src/index.ts'
import { capOfDirectory } from '../../src/tree/directory-cap.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryRef } from '../../src/tree/entry.ts'
import { LoneNodes, NodeBundler, type NodeSink } from '../../src/tree/node-sink.ts'
import { lit, nameOf } from '../tree/entries.ts'
import { ShareFolders, shareFoldersOf } from './share-folders.ts'

const program = path.resolve(import.meta.dirname, '../../../test/second/read_file.py')
const keys = convergenceKeys(sha256(utf8('read-file.test')))

interface Outcome {
  bytes: Uint8Array
  exitCode: number
  notes: string
}

function run(...given: string[]): Promise<Outcome> {
  const options = { encoding: 'buffer' as const, maxBuffer: 2 ** 26 }
  return new Promise((resolve) => {
    execFile('python3', [program, ...given], options, (error, bytes, notes) => {
      const exitCode = error === null ? 0 : Number(error.code)
      resolve({ bytes, exitCode, notes: notes.toString() })
    })
  })
}

/** Bytes that nothing makes shorter. */
function noise(name: string, length: number): Uint8Array {
  return keystream(sha256(utf8(name)), length)
}

describe('the second implementation', function () {
  this.timeout(120_000)
  let directory: string
  let home: string
  let paths: string[]
  let folders: ShareFolders

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'grid-second-'))
    home = path.join(directory, 'home')
    await makeHome(home)
    const grid = await openGrid({ home })
    await grid.close()
    paths = await shareFoldersOf(home)
    assert.equal(paths.length, 10)
    folders = new ShareFolders(paths, keys)
  })

  after(async () => {
    await rm(directory, { recursive: true })
  })

  async function put(bytes: Uint8Array): Promise<string> {
    const grid = await openGrid({ home })
    try {
      const { cap } = await grid.put({ stream: [bytes], sizeBytes: bytes.length })
      return cap
    } finally {
      await grid.close()
    }
  }

  async function assertReads(expected: Uint8Array, ...given: string[]): Promise<void> {
    const { bytes, exitCode, notes } = await run(...paths, ...given)
    assert.deepEqual({ exitCode, notes }, { exitCode: 0, notes: '' })
    assert.ok(equalBytes(bytes, expected))
  }

  async function assertRefuses(why: RegExp, ...given: string[]): Promise<void> {
    const { bytes, exitCode, notes } = await run(...paths, ...given)
    assert.match(notes, why)
    assert.deepEqual([exitCode, bytes.length], [1, 0])
  }

  /** `middle` holds small entries, and `bottom` with a file of several extents and small ones. */
  async function writeTree(sink: NodeSink, large: Uint8Array, small: readonly Uint8Array[]) {
    const [first, second] = await folders.storeSmall(small)
    const bottom: DirectoryRef = await writeDirectory({ keys, sink }, [
      { ...lit('large'), kind: 'tree', content: await folders.storeLarge(sink, large) },
      { ...lit('small 0'), kind: 'file', content: first },
      { ...lit('small 1'), kind: 'file', content: second },
    ])
    return writeDirectory({ keys, sink }, [
      { ...lit('bottom'), kind: 'directory', content: bottom },
      ...Array.from({ length: 1000 }, (_, i) => lit(nameOf(i), i)),
    ])
  }

  for (const length of [0, 64, 65, 200_000, 5_000_000]) {
    it(`reads a file of ${length} bytes that the library put`, async () => {
      const bytes = noise(`file of ${length}`, length)
      await assertReads(bytes, await put(bytes))
    })
  }

  it('reads past shares that are damaged or gone, and stops where too few are sound', async () => {
    const bytes = noise('damaged', 100_000)
    const cap = await put(bytes)
    // by their share numbers, the order in which they are tried
    const files = await folders.filesOf((parseCap(cap) as ChkCap).root)
    const numberOf = (file: string): number => Number(file.slice(file.lastIndexOf('.') + 1))
    const [first, second, third, ...others] = files.sort((a, b) => numberOf(a) - numberOf(b))
    assert.equal(others.length, 7)
    const damaged = await readFile(first)
    damaged[damaged.length - 1] ^= 1
    await writeFile(first, damaged)
    await rm(second)
    const past = await run(...paths, cap)
    assert.match(past.notes, /E_BLOCK/)
    assert.ok(equalBytes(past.bytes, bytes))
    await writeFile(third, damaged.subarray(0, 100))
    await assertRefuses(/E_NOT_ENOUGH_SHARES/, cap)
  })

  for (const placement of ['alone', 'in bundles'] as const) {
    it(`reads what is below a directory whose nodes are ${placement}`, async () => {
      const bundler = new NodeBundler(folders.store)
      const large = noise('large', 3_000_000)
      const small = [noise('small 0', 5000), noise('small 1', 6000)]
      const sink = placement === 'alone' ? new LoneNodes(folders.store) : bundler
      const top = await writeTree(sink, large, small)
      await bundler.finish()
      const cap = formatCap(capOfDirectory(top))
      await assertReads(large, cap, 'bottom/large')
      await assertReads(small[0], cap, 'bottom', 'small 0')
      await assertReads(small[1], cap, 'bottom/small 1')
      await assertReads(lit('', 765).content, cap, nameOf(765))
      await assertRefuses(/E_ABSENT/, cap, 'bottom/larger')
      await assertRefuses(/E_NOT_A_DIRECTORY/, cap, 'n0000000/x')
      await assertRefuses(/E_NOT_A_FILE/, cap, 'bottom')
    })
  }
})
