/** Valid objects of any size and coding, for tests that need shares. */
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { encodeObject } from '../../src/encoding/object.ts'
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
  const ciphertext = new SimRandom(seed).bytes(ciphertextBytes)
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
