/** Objects as a malicious uploader would make them, each share of which is right by itself. */
import { concat, utf8 } from '../../src/base/bytes.ts'
import { convergenceKeys, readKeyOf } from '../../src/caps/keys.ts'
import { formatCap } from '../../src/caps/text.ts'
import { formatDescriptor, rootOf, storageIndexOf } from '../../src/encoding/descriptor.ts'
import { pad } from '../../src/encoding/object.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { seal, sealedLength } from '../../src/encoding/seal.ts'
import {
  blockLeaf,
  blockLength,
  ciphertextListOf,
  formatShareHeader,
  segmentLeaf,
  shareRootOf,
} from '../../src/encoding/share.ts'

export const k = 3
export const n = 10
const keys = convergenceKeys(new Uint8Array(32).fill(1))

export interface ForgedObject {
  root: Uint8Array
  storageIndex: Uint8Array
  shares: Uint8Array[]
}

export interface SealedFile {
  ciphertext: Uint8Array
  readKey: Uint8Array
  sizeBytes: number
}

/** Content sealed under `readKey`, or under its own. */
export function sealed(content: Uint8Array, readKey?: Uint8Array): SealedFile {
  const key = readKey ?? readKeyOf(keys, 'raw', content)
  const ciphertext = new Uint8Array(paddedLength(sealedLength(content.length)))
  ciphertext.set(seal('raw', key, content))
  pad(ciphertext, sealedLength(content.length), keys.pad)
  return { ciphertext, readKey: key, sizeBytes: content.length }
}

/** The n blocks that a one-segment ciphertext is rightly coded into. */
export function blocksOf(ciphertext: Uint8Array): Uint8Array[] {
  const length = blockLength(k, ciphertext.length)
  const filled = concat(ciphertext, new Uint8Array(k * length - ciphertext.length))
  const data = Array.from({ length: k }, (_, i) => filled.slice(i * length, (i + 1) * length))
  const parity = Array.from({ length: n - k }, () => new Uint8Array(length))
  openErasureCode().encode(data, n, parity)
  return [...data, ...parity]
}

/** An object of one segment: it commits to `ciphertext`, and its shares hold these blocks. */
export function forge(ciphertext: Uint8Array, blocks: readonly Uint8Array[]): ForgedObject {
  const segmentLeaves = segmentLeaf(0, ciphertext)
  const blockLeaves = blocks.map((block, i) => blockLeaf(i, 0, block))
  const descriptor = formatDescriptor({
    k,
    n,
    ciphertextBytes: ciphertext.length,
    ciphertextList: ciphertextListOf(segmentLeaves),
    shareRoots: blockLeaves.map((leaves, i) => shareRootOf(i, leaves)),
  })
  const shares = blocks.map((block, i) =>
    concat(formatShareHeader(i, descriptor, blockLeaves[i], segmentLeaves), block),
  )
  const root = rootOf(descriptor)
  return { root, storageIndex: storageIndexOf(root), shares }
}

/** The cap of a forged object. */
export function capOf({ root }: ForgedObject, { readKey, sizeBytes }: SealedFile): string {
  return formatCap({ type: 'CHK', readKey, root, k, n, sizeBytes })
}

/** `length` letters, another text for another name. */
export function story(name: string, length = 1000): Uint8Array {
  return utf8(`${name} `.repeat(length)).slice(0, length)
}
