/** Nodes of a file of more than one extent (docs/specs/tree.md, "File nodes"). */
import type { CborValue } from '../base/cbor.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import { childNumber, type NodeRef, parseNodeRef } from './node-ref.ts'
import { openNode, sealNode, type SealedNode } from './node-slice.ts'
import {
  asArray,
  asInteger,
  malformedNode,
  type NodePlace,
  type ObjectRef,
  parseRefs,
  type Refs,
  RefTable,
} from './refs.ts'
import { formatStream, parseStream, type StreamRef } from './stream-row.ts'

export const rowsPerNode = 16_384
const maxDepth = 8

/** One extent: an object of its own, or a short tail in a bundle. */
export type ExtentRow = StreamRef

/** A node below, and the bytes of the file that it covers. */
export interface ChildRow extends NodeRef {
  plaintextBytes: number
}

export type FileNode =
  | { depth: 0; rows: readonly ExtentRow[] }
  /** 1 … 8 levels above the extents. */
  | { depth: number; rows: readonly ChildRow[] }

export function isLeaf(node: FileNode): node is { depth: 0; rows: readonly ExtentRow[] } {
  return node.depth === 0
}

/** @param self - the object that the node itself will be in, if others are in it already */
export function sealFileNode(keys: ConvergenceKeys, node: FileNode, self?: ObjectRef): SealedNode {
  const refs = new RefTable(self)
  const rows = isLeaf(node)
    ? node.rows.map((row) => formatStream(refs, row))
    : node.rows.map((row) => formatChildRow(refs, row))
  return sealNode(keys, 'tree', refs.format(), [1, node.depth, rows])
}

/**
 * Opens a node at the start of `bytes`.
 *
 * @param self - where `bytes` start; without it the node may name nothing in its own object
 * @throws E_COMMIT, E_NODE, E_CBOR
 */
export function openFileNode(bytes: Uint8Array, readKey: Uint8Array, self?: NodePlace): FileNode {
  const { refs, rows } = openNode(bytes, 'tree', readKey)
  const table = parseRefs(refs, self)
  const [version, depth, list] = asArray(rows, 3)
  if (version !== 1) throw malformedNode('rows of another version')
  const items = asArray(list)
  if (items.length < 1 || items.length > rowsPerNode) throw malformedNode(`${items.length} rows`)
  const level = asInteger(depth, 0, maxDepth)
  if (level === 0) return { depth: 0, rows: items.map((item) => parseStream(item, table)) }
  return { depth: level, rows: items.map((item) => parseChildRow(item, table)) }
}

/** Bytes of the file that a node covers. */
export function coveredBytes(node: FileNode): number {
  let total = 0
  for (const { plaintextBytes } of node.rows) total += plaintextBytes
  if (!Number.isSafeInteger(total)) throw malformedNode('more bytes than a file can have')
  return total
}

/** `[child number, plaintext bytes below, K]`: also what stands in a directory for a large file. */
export function formatChildRow(refs: RefTable, row: ChildRow): CborValue {
  return [childNumber(refs, row), row.plaintextBytes, row.readKey]
}

/** The inverse of `formatChildRow`. Throws E_NODE. */
export function parseChildRow(value: CborValue | undefined, refs: Refs): ChildRow {
  const [number, size, key] = asArray(value, 3)
  const plaintextBytes = asInteger(size, 1, Number.MAX_SAFE_INTEGER)
  return { ...parseNodeRef(refs, number, key), plaintextBytes }
}
