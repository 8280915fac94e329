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

/** Enough to find and check an object. */
export interface ObjectRef extends Coding {
  /** 32 bytes. */
  root: Uint8Array
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

export interface Refs {
  /** In order of first use, without repeats; number 1 is the first. */
  objects: ObjectRef[]
  children: ChildRef[]
}

/** Collects the references of one node while its rows are written. */
export class RefTable {
  readonly #objects: ObjectRef[] = []
  readonly #numbers = new Map<string, number>()
  readonly #children: ChildRef[] = []

  /** The number of an object, from 1; the same object has one number. */
  object(ref: ObjectRef): number {
    const name = toHex(ref.root)
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#objects.push(ref)
    this.#numbers.set(name, this.#objects.length)
    return this.#objects.length
  }

  /** The number of a child node, from 0. */
  child(ref: ChildRef): number {
    return this.#children.push(ref) - 1
  }

  format(): CborValue {
    const children = this.#children.map(({ object, offset, sliceBytes, verifyKey }) => {
      return [this.object(object), offset, sliceBytes, verifyKey]
    })
    const objects = this.#objects.map(({ root, k, n, ciphertextBytes }) => [
      root,
      k,
      n,
      ciphertextBytes,
    ])
    return [1, objects, children]
  }
}

/** Throws E_NODE for anything but well-formed references. */
export function parseRefs(value: CborValue): Refs {
  const [version, objectRows, childRows] = asArray(value, 3)
  if (version !== 1) throw malformedNode('references of another version')
  const objects = asArray(objectRows).map(parseObject)
  if (new Set(objects.map(({ root }) => toHex(root))).size !== objects.length) {
    throw malformedNode('an object named twice')
  }
  return { objects, children: asArray(childRows).map((row) => parseChild(row, objects)) }
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

function parseChild(value: CborValue, objects: readonly ObjectRef[]): ChildRef {
  const [number, offset, sliceBytes, verifyKey] = asArray(value, 4)
  const object = objects[asInteger(number, 1, objects.length) - 1]
  const child = {
    object,
    offset: asInteger(offset, 0, object.ciphertextBytes),
    sliceBytes: asInteger(sliceBytes, 0, object.ciphertextBytes),
    verifyKey: asBytes(verifyKey, keyBytes),
  }
  if (child.offset + child.sliceBytes > object.ciphertextBytes)
    throw malformedNode('a child past its object')
  return child
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

export function asBytes(value: CborValue | undefined, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length)
    throw malformedNode('bytes of another length')
  return value
}

export function malformedNode(why: string): GridError {
  return new GridError('E_NODE', `malformed node: ${why}`)
}
