/** Finds the extents of a range of a large file, reading only the nodes on the way. */
import { type ChildRow, coveredBytes, type ExtentRow, type FileNode, isLeaf } from './file-node.ts'
import { malformedNode } from './refs.ts'

/** Fetches and opens a node below another. */
export type NodeReader = (row: ChildRow) => Promise<FileNode>

/** An extent, and where in the file it starts. */
export interface PlacedExtent extends ExtentRow {
  startByte: number
}

/**
 * The extents that hold bytes [fromByte, toByte) of the file whose root node is `root`, in order.
 *
 * @throws E_NODE when a node covers another number of bytes than the row above it says
 */
export async function* extentsOf(
  root: FileNode,
  fromByte: number,
  toByte: number,
  readNode: NodeReader,
): AsyncGenerator<PlacedExtent> {
  yield* walk(root, 0, fromByte, toByte, readNode)
}

async function* walk(
  node: FileNode,
  nodeStart: number,
  fromByte: number,
  toByte: number,
  readNode: NodeReader,
): AsyncGenerator<PlacedExtent> {
  let startByte = nodeStart
  for (const row of node.rows) {
    const endByte = startByte + row.plaintextBytes
    if (startByte >= toByte) return
    if (endByte > fromByte) {
      if (isLeaf(node)) yield { ...(row as ExtentRow), startByte }
      else
        yield* walk(
          await readChild(row as ChildRow, node.depth, readNode),
          startByte,
          fromByte,
          toByte,
          readNode,
        )
    }
    startByte = endByte
  }
}

async function readChild(row: ChildRow, depth: number, readNode: NodeReader): Promise<FileNode> {
  const child = await readNode(row)
  if (child.depth !== depth - 1) throw malformedNode(`depth ${child.depth} below ${depth}`)
  if (coveredBytes(child) !== row.plaintextBytes)
    throw malformedNode('it covers other bytes than its parent says')
  return child
}
