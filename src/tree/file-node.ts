/** Nodes of a file of more than one extent (docs/specs/tree.md, "File nodes"). */
import { equalBytes } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import { type ConvergenceKeys, keyBytes, verifyKeyOf } from '../caps/keys.ts'
import { openNode, sealNode, type SealedNode } from './node-slice.ts'
import {
  asArray,
  asBytes,
  asInteger,
  malformedNode,
  type ObjectRef,
  parseRefs,
  type Refs,
  RefTable,
} from './refs.ts'

export const rowsPerNode = 16_384
const maxDepth = 8

/** One extent: an object of its own. */
export interface ExtentRow {
  object: ObjectRef
  plaintextBytes: number
  readKey: Uint8Array
}

/** A node below, and the bytes of the file that it covers. */
export interface ChildRow {
  object: ObjectRef
  offset: number
  sliceBytes: number
  plaintextBytes: number
  readKey: Uint8Array
}

export type FileNode =
  | { depth: 0; rows: readonly ExtentRow[] }
  /** 1 … 8 levels above the extents. */
  | { depth: number; rows: readonly ChildRow[] }

export function isLeaf(node: FileNode): node is { depth: 0; rows: readonly ExtentRow[] } {
  return node.depth === 0
}

export function sealFileNode(keys: ConvergenceKeys, node: FileNode): SealedNode {
  const refs = new RefTable()
  const rows = isLeaf(node)
    ? node.rows.map((row): CborValue => [
        refs.object(row.object),
        0,
        row.plaintextBytes,
        row.readKey,
      ])
    : node.rows.map((row): CborValue => {
        const child = refs.child({ ...row, verifyKey: verifyKeyOf(row.readKey) })
        return [child, row.plaintextBytes, row.readKey]
      })
  return sealNode(keys, 'tree', refs.format(), [1, node.depth, rows])
}

/** Opens a node at the start of `bytes`. Throws E_COMMIT, E_NODE, E_CBOR. */
export function openFileNode(bytes: Uint8Array, readKey: Uint8Array): FileNode {
  const { refs, rows } = openNode(bytes, 'tree', readKey)
  const table = parseRefs(refs)
  const [version, depth, list] = asArray(rows, 3)
  if (version !== 1) throw malformedNode('rows of another version')
  const items = asArray(list)
  if (items.length < 1 || items.length > rowsPerNode) throw malformedNode(`${items.length} rows`)
  const level = asInteger(depth, 0, maxDepth)
  if (level === 0) return { depth: 0, rows: items.map((item) => parseExtent(item, table)) }
  return { depth: level, rows: items.map((item) => parseChildRow(item, table)) }
}

/** Bytes of the file that a node covers. */
export function coveredBytes(node: FileNode): number {
  let total = 0
  for (const { plaintextBytes } of node.rows) total += plaintextBytes
  if (!Number.isSafeInteger(total)) throw malformedNode('more bytes than a file can have')
  return total
}

function parseExtent(value: CborValue, { objects }: Refs): ExtentRow {
  const [number, offset, plaintextBytes, readKey] = asArray(value, 4)
  const object = objects[asInteger(number, 1, objects.length) - 1]
  asInteger(offset, 0, 0)
  return {
    object,
    plaintextBytes: asInteger(plaintextBytes, 1, object.ciphertextBytes - keyBytes),
    readKey: asBytes(readKey, keyBytes),
  }
}

function parseChildRow(value: CborValue, { children }: Refs): ChildRow {
  const [number, plaintextBytes, readKey] = asArray(value, 3)
  const child = children[asInteger(number, 0, children.length - 1)]
  if (child === undefined) throw malformedNode('a row without its child')
  const { verifyKey, ...place } = child
  const row = {
    ...place,
    plaintextBytes: asInteger(plaintextBytes, 1, Number.MAX_SAFE_INTEGER),
    readKey: asBytes(readKey, keyBytes),
  }
  if (row.offset !== 0) throw malformedNode('a child that is not at the start of its object')
  if (!equalBytes(verifyKey, verifyKeyOf(row.readKey)))
    throw malformedNode('a child whose two keys do not belong together')
  return row
}
