/**
 * The two sealed streams of a node (docs/specs/tree.md, "Slice"): what a verify key opens (which
 * objects and children the node stands on) and what only the read key opens (sizes and keys).
 *
 *   slice = seal("<type>v", V, sized(refs)) ‖ seal("<type>", K, sized(rows))
 *   sized(c) = u32 length(c) ‖ c
 */
import { concat, readU32be, u32be } from '../base/bytes.ts'
import { type CborLimits, type CborValue, decodeCbor, encodeCbor } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { type ConvergenceKeys, type StreamKeys, streamKeysOf, verifyKeyOf } from '../caps/keys.ts'
import { commitmentBytes, commits, decrypt, seal, sealedLength } from '../encoding/seal.ts'

export type NodeType = 'tree' | 'dir'

/** Bounds of either stream of a node: a full one above extents names 163,844 values. */
export const nodeLimits: CborLimits = { depth: 8, items: 2 ** 18, bytes: 2 * 2 ** 20 }

const sizeBytes = 4

export interface SealedNode extends StreamKeys {
  slice: Uint8Array
}

/** Seals the two parts of a node under the key they give. */
export function sealNode(
  keys: ConvergenceKeys,
  type: NodeType,
  refs: CborValue,
  rows: CborValue,
): SealedNode {
  const refsPlain = sized(encodeCbor(refs))
  const rowsPlain = sized(encodeCbor(rows))
  const streamKeys = streamKeysOf(keys, type, refsPlain, rowsPlain)
  const { readKey } = streamKeys
  const verifyStream = seal(`${type}v`, verifyKeyOf(readKey), refsPlain)
  return Object.assign(streamKeys, { slice: concat(verifyStream, seal(type, readKey, rowsPlain)) })
}

/** Whether `start` (≥ 32 bytes) begins a node of this type under the read key. */
export function beginsNode(start: Uint8Array, type: NodeType, readKey: Uint8Array): boolean {
  return commits(start.subarray(0, commitmentBytes), `${type}v`, verifyKeyOf(readKey))
}

/**
 * Opens both streams of a slice at the start of `bytes`, which may run on behind it.
 *
 * @throws E_COMMIT when the key does not fit, E_NODE or E_CBOR when the content is malformed
 */
export function openNode(
  bytes: Uint8Array,
  type: NodeType,
  readKey: Uint8Array,
): { refs: CborValue; rows: CborValue; sliceBytes: number } {
  const verify = openSized(bytes, `${type}v`, verifyKeyOf(readKey))
  const read = openSized(bytes.subarray(verify.sealedBytes), type, readKey)
  return { refs: verify.value, rows: read.value, sliceBytes: verify.sealedBytes + read.sealedBytes }
}

/** Opens the first stream alone. Throws as `openNode`. */
export function openRefs(bytes: Uint8Array, type: NodeType, verifyKey: Uint8Array): CborValue {
  return openSized(bytes, `${type}v`, verifyKey).value
}

/** The type of the node whose slice begins with `start`; undefined where the key fits neither. */
export function nodeTypeOf(start: Uint8Array, verifyKey: Uint8Array): NodeType | undefined {
  const commitment = start.subarray(0, commitmentBytes)
  if (commits(commitment, 'dirv', verifyKey)) return 'dir'
  return commits(commitment, 'treev', verifyKey) ? 'tree' : undefined
}

function openSized(
  bytes: Uint8Array,
  type: NodeType | `${NodeType}v`,
  key: Uint8Array,
): { value: CborValue; sealedBytes: number } {
  if (bytes.length < sealedLength(sizeBytes))
    throw new GridError('E_NODE', 'malformed node: cut short')
  if (!commits(bytes.subarray(0, commitmentBytes), type, key)) {
    throw new GridError('E_COMMIT', `the key does not fit this ${type} stream`)
  }
  const body = bytes.subarray(commitmentBytes)
  const length = readU32be(decrypt(key, 0, body.subarray(0, sizeBytes)), 0)
  if (length > nodeLimits.bytes || length > body.length - sizeBytes) {
    throw new GridError('E_NODE', `malformed node: a part of ${length} bytes`)
  }
  const plain = decrypt(key, 0, body.subarray(0, sizeBytes + length)).subarray(sizeBytes)
  return { value: decodeCbor(plain, nodeLimits), sealedBytes: sealedLength(sizeBytes + length) }
}

function sized(content: Uint8Array): Uint8Array {
  if (content.length > nodeLimits.bytes) throw new RangeError('node: a part that nobody could read')
  return concat(u32be(content.length), content)
}
