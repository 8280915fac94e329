/** The worked vectors of docs/specs/directory.md and of "Bundles" in docs/specs/encoding.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { fromHex, toHex, u32be, utf8 } from '../../src/base/bytes.ts'
import { encodeCbor } from '../../src/base/cbor.ts'
import { sha256, taggedHash } from '../../src/base/hash.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { nodeCutKeyOf, verifyKeyOf } from '../../src/caps/keys.ts'
import { formatCap } from '../../src/caps/text.ts'
import { Bundler } from '../../src/encoding/bundle.ts'
import { sealFileStream } from '../../src/encoding/file-stream.ts'
import { encodeObject, pad } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { capOfDirectory } from '../../src/tree/directory-cap.ts'
import { sealDirectoryNode } from '../../src/tree/directory-node.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../../src/tree/entry.ts'
import { NodeCutter } from '../../src/tree/node-end.ts'
import { LoneNodes, NodeBundler } from '../../src/tree/node-sink.ts'
import { openNode } from '../../src/tree/node-slice.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import { plainStream } from '../../src/tree/stream-row.ts'
import { keys, nameOf } from './entries.ts'

const code = openErasureCode()
const mtime = { seconds: 1_700_000_000, nanoseconds: 5 }

/** Ciphertexts of real objects, in the order in which they were stored. */
class Objects {
  readonly ciphertexts: Uint8Array[] = []

  store = async (content: Uint8Array): Promise<ObjectRef> => {
    const ciphertext = new Uint8Array(paddedLength(content.length))
    ciphertext.set(content)
    pad(ciphertext, content.length, keys.pad)
    this.ciphertexts.push(ciphertext)
    const { root } = encodeObject(ciphertext, { k: 3, n: 10 }, code)
    return { root, k: 3, n: 10, ciphertextBytes: ciphertext.length }
  }
}

function file(name: string, content: Uint8Array): DirectoryEntry {
  return { name: utf8(name), kind: 'lit', mode: 0o644, mtime, meta: {}, content }
}

function parts(slice: Uint8Array, readKey: Uint8Array): string[] {
  const { refs, rows } = openNode(slice, 'dir', readKey)
  return [toHex(encodeCbor(refs)), toHex(encodeCbor(rows)), toHex(sha256(slice))]
}

describe('worked vectors of directories', () => {
  it('split after the names of the spec', () => {
    assert.equal(
      toHex(nodeCutKeyOf(keys)),
      'd67d13401098540832a7d9bb85e2c0adb7187e25d96cab9675a00514809dd2fa',
    )
    const cutter = new NodeCutter(keys)
    const ends = Array.from({ length: 880 }, (_, i) => nameOf(i)).filter((name) =>
      cutter.endsAfter(0, utf8(name)),
    )
    assert.deepEqual(ends, ['n0000304', 'n0000486', 'n0000733', 'n0000879'])
  })

  it('have the empty directory', () => {
    const { slice, readKey, cutValue } = sealDirectoryNode(keys, { depth: 0, rows: [] })
    assert.equal(toHex(readKey), '64dcf8045e11ea48601358a7984065349c9710a66534b1e3a58430700ee53959')
    assert.equal(
      toHex(verifyKeyOf(readKey)),
      'de9d987b7fe01d974360e1eb84f45ec73160599fe8242caf1dcb2d47457af2a0',
    )
    assert.equal(cutValue, 3_023_085_088)
    assert.deepEqual(parts(slice, readKey), [
      '83018080',
      '83010080',
      'fc620e776c213765a4ae3d6dc13b45afee2ec48db47b106840a926982df302d9',
    ])
  })

  it('have a directory in a bundle with the one below it', async () => {
    const objects = new Objects()
    const sink = new NodeBundler(objects.store)
    const object = { root: taggedHash('object'), k: 3, n: 10, ciphertextBytes: 2048 }
    const below = await writeDirectory({ keys, sink }, [
      { ...file('a', utf8('hi')), meta: { uid: 1000, owner: 'u' } },
    ])
    const content = plainStream(object, 2000, new Uint8Array(32).fill(7))
    const earlier = { seconds: -1, nanoseconds: 0 }
    const above = await writeDirectory({ keys, sink }, [
      {
        name: utf8('d'),
        kind: 'directory',
        mode: 0o755,
        mtime: earlier,
        meta: {},
        content: below,
      },
      { name: utf8('f'), kind: 'file', mode: 0o600, mtime, meta: {}, content },
    ])
    await sink.finish()
    const sliceOf = ({ offset, sliceBytes }: DirectoryRef): Uint8Array =>
      objects.ciphertexts[0].subarray(offset, offset + sliceBytes)
    assert.deepEqual(parts(sliceOf(below), below.readKey), [
      '83018080',
      '83010081874161001901a41a6553f100058282011903e882036175426869',
      '2131a591a3850ace10a30f8804b19a3bbfedeb20a545c093ddc20c9e2b7479b5',
    ])
    assert.equal(
      parts(sliceOf(above), above.readKey)[2],
      '676da07df41495544613656f3e26898c8adfbe611e5c0a98fac64b4eef329f50',
    )
    assert.deepEqual([above.offset, above.sliceBytes], [106, 259])
    const cap = capOfDirectory(above)
    assert.equal(
      formatCap(cap),
      'URI:DIR-CHK:654bo6dy56nzddqknq6sjwacsa5tys5xaky5t55s76zgeqp2yoya:5vigdqau6bszdcmevd7nt7wrbnd54hwt2hlat6bsrenykclvfecq:3:10:259:106:sedx2b',
    )
    assert.equal(
      formatCap(attenuate(cap)),
      'URI:DIR-CHK-Verifier:d6sjsh3svmqmh43btu2ropszboxkces7ixmdg2mi7mkxaquv3jbq:5vigdqau6bszdcmevd7nt7wrbnd54hwt2hlat6bsrenykclvfecq:3:10:106:r3ubkl',
    )
  })

  it('have a directory of two depths, each node alone', async () => {
    const objects = new Objects()
    const entries = Array.from({ length: 1000 }, (_, i) => file(nameOf(i), u32be(i)))
    const directory = await writeDirectory({ keys, sink: new LoneNodes(objects.store) }, entries)
    assert.equal(objects.ciphertexts.length, 7)
    assert.equal(directory.sliceBytes, 830)
    assert.equal(
      toHex(directory.readKey),
      'c8210f97b9ee5b9799d19090adb12446e3222ed0fad58d27050551e84099dca9',
    )
    assert.equal(
      toHex(directory.object.root),
      '68f451485f827e4dd935fb2154582386344882979b68c49f695b95a7d901ce27',
    )
  })

  it('have a bundle of two streams', async () => {
    const bundler = new Bundler<number>()
    const numbers = Uint8Array.from({ length: 2000 }, (_, i) => i % 256)
    const shapes = [fromHex('1be703f825c2a2b1402034'), numbers].map((bytes, i) => {
      const stream = sealFileStream(keys, bytes, { compress: false })
      assert.deepEqual(bundler.add(stream, i), [])
      return [toHex(stream.readKey), stream.cutValue]
    })
    assert.deepEqual(shapes, [
      ['095c04f16c6a5eecdeb68bf0a000a35583cc7bc88d1e4fd85c1d251fe95398ed', 1_996_815_393],
      ['30a9ea166be6b4a6f9bdf6b381b0a2302e2c807f82224fc2db918b78a1171057', 3_519_380_727],
    ])
    const [{ content, items }] = bundler.finish()
    assert.deepEqual(items, [
      { item: 0, offset: 0 },
      { item: 1, offset: 43 },
    ])
    const { root, ciphertextBytes } = await new Objects().store(content)
    assert.equal(ciphertextBytes, 2176)
    assert.equal(toHex(root), '1722c67c04172d639458889282524c7b4d0a26694fd225b4e1afb597f9bd4b0e')
  })
})
