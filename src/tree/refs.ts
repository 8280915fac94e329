/**
 * What a node stands on: objects, and child nodes inside them (docs/specs/tree.md, "References").
 * This part is all that a verify cap opens: enough to check and repair a whole tree, and not to
 * read any of it.
 */
import type { CborValue } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { toHex } from '../base/bytes.ts'
import { keyBytes } from '../caps/keys.ts'
import type { Coding } from '../encoding/descriptor.ts'
import { maxCiphertextBytes, minCiphertextBytes } from '../encoding/padme.ts'

/** Enough to find an object. */
export interface ObjectName extends Coding {
  /** 32 bytes. */
  root: Uint8Array
}

/** Enough to find and check an object. */
export interface ObjectRef extends ObjectName {
  ciphertextBytes: number
}

/** A node inside an object. */
export interface ChildRef {
  object: ObjectRef
  /** Where its slice starts in the ciphertext. */
  offset: number
  /** Length of its slice. */
  sliceBytes: number
  verifyKey: Uint8Array
}

/** Where the node that is opened starts itself: what object number 0 means in it. */
export interface NodePlace {
  object: ObjectRef
  offset: number
}

export interface Refs {
  /** In order of first use, without repeats; number 1 is the first. */
  objects: ObjectRef[]
  children: ChildRef[]
  /** Where the node is that these are of; undefined if its opener does not know. */
  self: NodePlace | undefined
}

/** Collects the references of one node while its rows are written. */
export class RefTable {
  readonly #self: ObjectRef | undefined
  readonly #objects: ObjectRef[] = []
  readonly #numbers = new Map<string, number>()
  readonly #children: CborValue[] = []

  /** @param self - the object that the node itself will be in, if it holds others already */
  constructor(self?: ObjectRef) {
    this.#self = self
  }

  /** The number of an object, from 1; the same object has one number. The node's own is 0. */
  object(ref: ObjectRef): number {
    if (ref === this.#self) return 0
    const name = toHex(ref.root)
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#objects.push(ref)
    this.#numbers.set(name, this.#objects.length)
    return this.#objects.length
  }

  /** The number of a child node, from 0. */
  child({ object, offset, sliceBytes, verifyKey }: ChildRef): number {
    return this.#children.push([this.object(object), offset, sliceBytes, verifyKey]) - 1
  }

  format(): CborValue {
    const objects = this.#objects.map(({ root, k, n, ciphertextBytes }) => [
      root,
      k,
      n,
      ciphertextBytes,
    ])
    return [1, objects, this.#children]
  }
}

/** Throws E_NODE for anything but well-formed references of a node that is at `self`. */
export function parseRefs(value: CborValue, self?: NodePlace): Refs {
  const [version, objectRows, childRows] = asArray(value, 3)
  if (version !== 1) throw malformedNode('references of another version')
  const objects = asArray(objectRows).map(parseObject)
  if (new Set(objects.map(({ root }) => toHex(root))).size !== objects.length) {
    throw malformedNode('an object named twice')
  }
  const refs: Refs = { objects, children: [], self }
  refs.children = asArray(childRows).map((row) => parseChild(row, refs))
  return refs
}

/**
 * The object of this number, if bytes [offset, offset + length) are in it. What a node names in its
 * own object lies before the node: so no node can be below itself.
 */
export function objectWith(
  { objects, self }: Refs,
  number: CborValue | undefined,
  offset: number,
  length: number,
): ObjectRef {
  const index = asInteger(number, self === undefined ? 1 : 0, objects.length)
  const object = index === 0 ? self!.object : objects[index - 1]
  const end = index === 0 ? self!.offset : object.ciphertextBytes
  if (offset + length > end) throw malformedNode('a place past its object')
  return object
}

function parseObject(value: CborValue): ObjectRef {
  const [root, k, n, ciphertextBytes] = asArray(value, 4)
  const ref = {
    root: asBytes(root, keyBytes),
    k: asInteger(k, 1, 255),
    n: asInteger(n, 1, 255),
    ciphertextBytes: asInteger(ciphertextBytes, minCiphertextBytes, maxCiphertextBytes),
  }
  if (ref.k > ref.n) throw malformedNode(`a coding of ${ref.k}-of-${ref.n}`)
  return ref
}

function parseChild(value: CborValue, refs: Refs): ChildRef {
  const [number, start, length, verifyKey] = asArray(value, 4)
  const offset = asInteger(start, 0, maxCiphertextBytes)
  const sliceBytes = asInteger(length, 0, maxCiphertextBytes)
  const object = objectWith(refs, number, offset, sliceBytes)
  return { object, offset, sliceBytes, verifyKey: asBytes(verifyKey, keyBytes) }
}

export function asArray(value: CborValue | undefined, length?: number): readonly CborValue[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    throw malformedNode('an array of another shape')
  }
  return value as readonly CborValue[]
}

export function asInteger(value: CborValue | undefined, min: number, max: number): number {
  if (typeof value !== 'number' || value < min || value > max)
    throw malformedNode('a number out of range')
  return value
}

/** Bytes of one length, or of `length` to `max`. */
export function asBytes(
  value: CborValue | undefined,
  length: number,
  max: number = length,
): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < length || value.length > max)
    throw malformedNode('bytes of another length')
  return value
}

export function malformedNode(why: string): GridError {
  return new GridError('E_NODE', `malformed node: ${why}`)
}
