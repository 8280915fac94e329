/** Valid objects of any size and coding, for tests that need shares. */
import { convergenceKeys, readKeyOf } from '../../src/caps/keys.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { encodeObject, pad } from '../../src/encoding/object.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import { seal, sealedLength } from '../../src/encoding/seal.ts'
import type { ShareBody } from '../../src/storage/peer.ts'
import { PlainCode } from '../encoding/plain-code.ts'
import { SimRandom } from '../sim/sim-random.ts'

export interface TestObject {
  root: Uint8Array
  storageIndex: Uint8Array
  ciphertext: Uint8Array
  /** n share files, by share number. */
  shares: Uint8Array[]
}

export interface TestObjectOptions {
  /** 1,024 … 2^24; 2,048 unless told. */
  ciphertextBytes?: number
  k?: number
  n?: number
  /** Another seed gives another object. */
  seed?: string
}

/** An object, 3-of-5 unless told; the same one for the same options. */
export function makeObject(options: TestObjectOptions = {}): TestObject {
  const { ciphertextBytes = 2048, k = 3, n = 5, seed = 'object' } = options
  return objectOf(new SimRandom(seed).bytes(ciphertextBytes), k, n)
}

let largest: TestObject | undefined

/** An object of 16 MiB in one share, as large as shares get. */
export function largestObject(): TestObject {
  return (largest ??= makeObject({ ciphertextBytes: 2 ** 24, k: 1, n: 1 }))
}

/** The worked vector of docs/specs/share.md. */
export function workedObject(): TestObject {
  const keys = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))
  const plaintext = Uint8Array.from({ length: 2000 }, (_, i) => i % 256)
  const ciphertext = new Uint8Array(paddedLength(sealedLength(plaintext.length)))
  ciphertext.set(seal('raw', readKeyOf(keys, 'raw', plaintext), plaintext))
  pad(ciphertext, sealedLength(plaintext.length), keys.pad)
  return objectOf(ciphertext, 3, 10)
}

function objectOf(ciphertext: Uint8Array, k: number, n: number): TestObject {
  const { root, shares } = encodeObject(ciphertext, { k, n }, new PlainCode())
  return { root, storageIndex: storageIndexOf(root), ciphertext, shares }
}

/** `share` as a body, in pieces of `pieceBytes`. */
export function bodyOf(share: Uint8Array, pieceBytes: number = 64 * 1024): ShareBody {
  return { shareBytes: share.length, pieces: cut(share, pieceBytes) }
}

export function* cut(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}
