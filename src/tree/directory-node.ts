/**
 * Nodes of a directory (docs/specs/directory.md, "Nodes"): entries at depth 0, above them rows that
 * name a node each and the last name below it.
 */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import { maxCiphertextBytes } from '../encoding/padme.ts'
import { checkName, type DirectoryEntry, maxNameBytes } from './entry.ts'
import { formatEntry, parseEntry } from './entry-row.ts'
import { childNumber, type NodeRef, parseNodeRef } from './node-ref.ts'
import { openNode, sealNode, type SealedNode } from './node-slice.ts'
import {
  asArray,
  asBytes,
  asInteger,
  malformedNode,
  type NodePlace,
  type ObjectRef,
  parseRefs,
  type Refs,
  RefTable,
} from './refs.ts'

export const maxDirectoryRows = 4096
export const maxDirectoryDepth = 8

/** A node below another. */
export interface NodeRow {
  /** The last name in it or below it. */
  name: Uint8Array
  node: NodeRef
}

/** What a node of either kind is a list of, ascending by name. */
export type DirectoryRow = DirectoryEntry | NodeRow

export type DirectoryNode =
  | { depth: 0; rows: readonly DirectoryEntry[] }
  /** 1 … 8 levels above the entries. */
  | { depth: number; rows: readonly NodeRow[] }

export function isEntries(
  node: DirectoryNode,
): node is { depth: 0; rows: readonly DirectoryEntry[] } {
  return node.depth === 0
}

/** A node of rows that all belong to this depth. */
export function nodeOf(depth: number, rows: readonly DirectoryRow[]): DirectoryNode {
  return depth === 0
    ? { depth: 0, rows: rows as readonly DirectoryEntry[] }
    : { depth, rows: rows as readonly NodeRow[] }
}

/**
 * Seals a node, after making sure that a reader will take it.
 *
 * @param self - the object that the node itself will be in, if others are in it already
 * @throws E_NODE for rows that are none, or out of order
 */
export function sealDirectoryNode(
  keys: ConvergenceKeys,
  node: DirectoryNode,
  self?: ObjectRef,
): SealedNode {
  const table = new RefTable(self)
  const list = isEntries(node)
    ? node.rows.map((entry) => formatEntry(table, entry))
    : node.rows.map(({ name, node }): CborValue => [name, childNumber(table, node), node.readKey])
  const refs = table.format()
  const rows = [1, node.depth, list]
  const place = self === undefined ? undefined : { object: self, offset: maxCiphertextBytes }
  parseRows(rows, parseRefs(refs, place))
  return sealNode(keys, 'dir', refs, rows)
}

/**
 * Opens the node whose slice `bytes` are. Names and other bytes of its rows are views of one buffer.
 *
 * @throws E_COMMIT, E_NODE, E_CBOR
 */
export function openDirectoryNode(
  bytes: Uint8Array,
  readKey: Uint8Array,
  self: NodePlace,
): DirectoryNode {
  const { refs, rows, sliceBytes } = openNode(bytes, 'dir', readKey)
  if (sliceBytes !== bytes.length) throw malformedNode('a slice of another length')
  return parseRows(rows, parseRefs(refs, self))
}

/** The place of the first row whose name is not below `name`; the number of rows if all are. */
export function firstFrom(rows: readonly DirectoryRow[], name: Uint8Array): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(rows[middle].name, name) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The place of the first row whose name is above `name`. */
export function firstAfter(rows: readonly DirectoryRow[], name: Uint8Array): number {
  const at = firstFrom(rows, name)
  return at < rows.length && equalBytes(rows[at].name, name) ? at + 1 : at
}

function parseRows(value: CborValue, refs: Refs): DirectoryNode {
  const [version, depth, list] = asArray(value, 3)
  if (version !== 1) throw malformedNode('rows of another version')
  const level = asInteger(depth, 0, maxDirectoryDepth)
  const items = asArray(list)
  if (items.length > maxDirectoryRows || (items.length === 0 && level > 0))
    throw malformedNode(`${items.length} rows`)
  const node: DirectoryNode =
    level === 0
      ? { depth: 0, rows: items.map((item) => parseEntry(item, refs)) }
      : { depth: level, rows: items.map((item) => parseNodeRow(item, refs)) }
  for (let i = 1; i < node.rows.length; i++) {
    if (compareBytes(node.rows[i - 1].name, node.rows[i].name) >= 0)
      throw malformedNode('names out of order, or one twice')
  }
  return node
}

function parseNodeRow(value: CborValue, refs: Refs): NodeRow {
  const [name, number, key] = asArray(value, 3)
  const last = asBytes(name, 1, maxNameBytes)
  checkName(last)
  return { name: last, node: parseNodeRef(refs, number, key) }
}
