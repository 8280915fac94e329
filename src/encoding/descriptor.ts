/**
 * The object descriptor: what the root of an object commits to (docs/specs/share.md, "Descriptor").
 *
 *   offset  size  field
 *   0       4     "GRO1"
 *   4       1     suite = 1
 *   5       1     k
 *   6       1     n
 *   7       1     17, the logarithm of the segment size
 *   8       8     length of the ciphertext
 *   16      32    hash of the list of ciphertext leaves
 *   48      32·n  share roots
 */
import { concat, equalBytes, readU64be, u64be, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { hashBytes, taggedHash } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import { maxCiphertextBytes, minCiphertextBytes } from './padme.ts'

export const suite = 1
export const segmentBits = 17
export const segmentBytes: number = 2 ** segmentBits
export const maxShareCount = 255
export const storageIndexBytes = 20

const magic = utf8('GRO1')
const fixedBytes = 48

/** How an object is coded: any k of n shares rebuild it. */
export interface Coding {
  /** Shares needed, 1 … n. */
  k: number
  /** Shares made, ≤ 255. */
  n: number
}

export interface Descriptor extends Coding {
  /** Length of the padded ciphertext, 1,024 … 2^24. */
  ciphertextBytes: number
  /** `TH("ct-list", leaves of all segments)`. */
  ciphertextList: Uint8Array
  /** n hashes, by share number. */
  shareRoots: readonly Uint8Array[]
}

/** Length of the descriptor of an object of `n` shares. */
export function descriptorLength(n: number): number {
  return fixedBytes + hashBytes * n
}

/** Throws a RangeError unless 1 ≤ k ≤ n ≤ 255, all integers. */
export function checkCoding({ k, n }: Coding): void {
  const whole = Number.isInteger(k) && Number.isInteger(n)
  if (!whole || k < 1 || n < k || n > maxShareCount) {
    throw new RangeError(`coding: ${k}-of-${n} is not 1 ≤ k ≤ n ≤ ${maxShareCount}`)
  }
}

export function formatDescriptor(descriptor: Descriptor): Uint8Array {
  const { k, n, ciphertextBytes, ciphertextList, shareRoots } = descriptor
  return concat(
    magic,
    Uint8Array.of(suite, k, n, segmentBits),
    u64be(ciphertextBytes),
    ciphertextList,
    ...shareRoots,
  )
}

/** Parses a descriptor that fills `bytes`; the result keeps views of them. Throws E_DESCRIPTOR, E_VERSION. */
export function parseDescriptor(bytes: Uint8Array): Descriptor {
  if (bytes.length < fixedBytes || !equalBytes(bytes.subarray(0, 4), magic)) {
    throw malformed('it does not begin as one')
  }
  const [suiteFound = 0, k = 0, n = 0, bits = 0] = bytes.subarray(4, 8)
  if (suiteFound !== suite) {
    throw new GridError(
      'E_VERSION',
      `the object is of suite ${suiteFound}, newer than this version of Grid reads`,
    )
  }
  const ciphertextBytes = readU64be(bytes, 8)
  if (k < 1 || n < k) throw malformed(`${k}-of-${n}`)
  if (bits !== segmentBits) throw malformed(`segments of 2^${bits}`)
  if (bytes.length !== descriptorLength(n)) throw malformed(`${bytes.length} bytes for ${n} shares`)
  if (
    ciphertextBytes === undefined ||
    ciphertextBytes < minCiphertextBytes ||
    ciphertextBytes > maxCiphertextBytes
  ) {
    throw malformed('length of the ciphertext out of range')
  }
  const shareRoots = Array.from({ length: n }, (_, i) => hashAt(bytes, fixedBytes + i * hashBytes))
  return { k, n, ciphertextBytes, ciphertextList: hashAt(bytes, 16), shareRoots }
}

/** The root of the object: what its cap commits to. */
export function rootOf(descriptorBytes: Uint8Array): Uint8Array {
  return taggedHash(tags.object, descriptorBytes)
}

/** What servers call the object of this root. */
export function storageIndexOf(root: Uint8Array): Uint8Array {
  return root.slice(0, storageIndexBytes)
}

function hashAt(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.subarray(offset, offset + hashBytes)
}

function malformed(why: string): GridError {
  return new GridError('E_DESCRIPTOR', `malformed object descriptor: ${why}`)
}
