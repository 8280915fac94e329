/** Where nodes are, for those who may read them, and rows that name one (docs/specs/tree.md). */
import { equalBytes } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import { keyBytes, verifyKeyOf } from '../caps/keys.ts'
import {
  asBytes,
  asInteger,
  malformedNode,
  type ObjectName,
  type ObjectRef,
  type Refs,
  type RefTable,
} from './refs.ts'

/** A node whose cap is at hand: the length of its object is not known yet. */
export interface NodeName {
  object: ObjectName
  /** Where its slice starts in the ciphertext. */
  offset: number
  /** Length of its slice. */
  sliceBytes: number
  /** 32 bytes. */
  readKey: Uint8Array
}

/** A node, with all that a reference to it needs. */
export interface NodeRef extends NodeName {
  object: ObjectRef
}

/** The number of a child node in the references of the node above. */
export function childNumber(table: RefTable, node: NodeRef): number {
  const { object, offset, sliceBytes, readKey } = node
  return table.child({ object, offset, sliceBytes, verifyKey: verifyKeyOf(readKey) })
}

/**
 * The child of this number, opened by this key.
 *
 * @throws E_NODE where there is none, or where its verify key is another one's: then whoever
 *   verifies would look at other objects than whoever reads
 */
export function parseNodeRef(
  { children }: Refs,
  number: CborValue | undefined,
  key: CborValue | undefined,
): NodeRef {
  const child = children[asInteger(number, 0, children.length - 1)]
  if (child === undefined) throw malformedNode('a row without its child')
  const { verifyKey, ...place } = child
  const readKey = asBytes(key, keyBytes)
  if (!equalBytes(verifyKey, verifyKeyOf(readKey)))
    throw malformedNode('a child whose two keys do not belong together')
  return { ...place, readKey }
}
