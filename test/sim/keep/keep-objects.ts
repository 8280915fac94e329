/**
 * The objects of all runs: as small as objects get, and encoded once a process, since a run asks
 * what becomes of shares and not what is in them.
 */
import { type Coding, storageIndexOf } from '../../../src/encoding/descriptor.ts'
import type { ErasureCode } from '../../../src/encoding/erasure-code.ts'
import { encodeObject } from '../../../src/encoding/object.ts'
import { minCiphertextBytes } from '../../../src/encoding/padme.ts'
import type { StorageIndex } from '../../../src/storage/peer.ts'
import { SimRandom } from '../sim-random.ts'

export interface KeepObject {
  readonly number: number
  readonly root: Uint8Array
  readonly storageIndex: StorageIndex
  /** n share files by share number; nobody may change them. */
  readonly shares: readonly Uint8Array[]
}

/** How many objects there are in all. */
export const poolSize = 14

const made = new Map<string, KeepObject>()

/** The object of this number: the same in every run. */
export function keepObject(number: number, coding: Coding, code: ErasureCode): KeepObject {
  const name = `${number} ${coding.k} ${coding.n}`
  const known = made.get(name)
  if (known !== undefined) return known
  const ciphertext = new SimRandom(`kept ${name}`).bytes(minCiphertextBytes)
  const { root, shares } = encodeObject(ciphertext, coding, code)
  const object = { number, root, storageIndex: storageIndexOf(root), shares }
  made.set(name, object)
  return object
}
