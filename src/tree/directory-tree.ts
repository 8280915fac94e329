/** Opens the nodes of one directory, checking each against the row that led to it. */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import {
  type DirectoryNode,
  type DirectoryRow,
  isEntries,
  type NodeRow,
  openDirectoryNode,
} from './directory-node.ts'
import type { NodeName, NodeRef } from './node-ref.ts'
import { malformedNode } from './refs.ts'
import type { SliceReader } from './slice-reader.ts'

/** A node, and where it is among those of its depth. */
export interface OpenedNode {
  node: DirectoryNode
  ref: NodeRef
  /** The greatest name of the node before it, which its own are above; undefined for the first. */
  above: Uint8Array | undefined
  /** Whether it is the last of its depth. */
  isLast: boolean
}

/** Opens the topmost node of a directory. Throws E_COMMIT, E_NODE, E_CBOR, E_SIZE. */
export async function openRoot(reader: SliceReader, name: NodeName): Promise<OpenedNode> {
  const { node, ref } = await readNode(reader, name)
  return { node, ref, above: undefined, isLast: true }
}

/** Opens the node below row `index` of a node of depth ≥ 1. */
export async function openBelow(
  reader: SliceReader,
  parent: OpenedNode,
  index: number,
): Promise<OpenedNode> {
  const rows = nodeRows(parent.node)
  const row = rows[index]
  const above = index === 0 ? parent.above : rows[index - 1].name
  const { node, ref } = await readNode(reader, row.node)
  checkBelow(node, row, above, parent.node.depth)
  return { node, ref, above, isLast: parent.isLast && index === rows.length - 1 }
}

/** The rows of a node of depth ≥ 1. */
export function nodeRows(node: DirectoryNode): readonly NodeRow[] {
  if (isEntries(node)) throw new RangeError('a node of entries has no nodes below')
  return node.rows
}

async function readNode(
  reader: SliceReader,
  { object, offset, sliceBytes, readKey }: NodeName,
): Promise<{ node: DirectoryNode; ref: NodeRef }> {
  const { bytes, ciphertextBytes } = await reader.readSlice(object, offset, sliceBytes)
  if (bytes.length !== sliceBytes)
    throw new GridError('E_SIZE', 'the object is too short for the node that is told of it')
  const { root, k, n } = object
  const ref = { object: { root, k, n, ciphertextBytes }, offset, sliceBytes, readKey }
  return { node: openDirectoryNode(bytes, readKey, ref), ref }
}

function checkBelow(
  node: DirectoryNode,
  row: NodeRow,
  above: Uint8Array | undefined,
  depth: number,
): void {
  if (node.depth !== depth - 1) throw malformedNode(`depth ${node.depth} below ${depth}`)
  const rows: readonly DirectoryRow[] = node.rows
  const [first] = rows
  if (first === undefined) throw malformedNode('an empty node below another')
  if (!equalBytes(rows[rows.length - 1].name, row.name))
    throw malformedNode('it ends with another name than its parent says')
  if (above !== undefined && compareBytes(first.name, above) <= 0)
    throw malformedNode('a name that belongs into the node before')
}
