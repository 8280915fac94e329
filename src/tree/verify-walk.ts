/**
 * Every object below a node, found with verify keys alone (docs/specs/directory.md, "Verifying"):
 * no names, no contents, no read keys.
 */
import { concat, u32be, u64be } from '../base/bytes.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { commitmentBytes } from '../encoding/seal.ts'
import { nodeTypeOf, openRefs } from './node-slice.ts'
import { type ChildRef, malformedNode, type ObjectName, type ObjectRef, parseRefs } from './refs.ts'
import type { SliceReader } from './slice-reader.ts'

/** A node, for those who may verify it. */
export interface VerifyName {
  object: ObjectName
  offset: number
  /** 32 bytes. */
  verifyKey: Uint8Array
}

/** Nodes below nodes: more than a path of 4,096 bytes can name. */
const maxLevels = 2 ** 13

interface Step extends VerifyName {
  /** Undefined for the topmost node, whose cap does not tell. */
  sliceBytes: number | undefined
  level: number
}

/**
 * What was come to already: several walks that share it come to each object and each node once.
 *
 * Some of the walks may be of trees by whoever has taken a machine over. So nothing is the same that is
 * told of otherwise: a root with a coding or a length that is not its own is another object, which hides
 * the true one from nobody.
 */
export class WalkMemory {
  readonly #objects = new Set<string>()
  readonly #nodes = new Set<string>()

  isNewObject(object: ObjectName & { ciphertextBytes?: number }): boolean {
    return isNew(this.#objects, name(objectBytes(object, object.ciphertextBytes)))
  }

  isNewNode(node: VisitedNode): boolean {
    return isNew(this.#nodes, nodeName(node))
  }

  hasNode(node: VisitedNode): boolean {
    return this.#nodes.has(nodeName(node))
  }

  /** For a walk that went too deep: of what it has come to, all may be less deep in another. */
  forgetNodes(): void {
    this.#nodes.clear()
  }
}

type VisitedNode = VerifyName & { sliceBytes: number | undefined }

export interface VerifyWalkOptions {
  memory?: WalkMemory
  /**
   * Called for a node that cannot be opened, of which the walk would else end: what is below it stays
   * unknown, and the walk goes on. The object that it is in has been yielded.
   */
  onHidden?: (node: VerifyName, error: GridError) => void
  /** The topmost is a node, whatever: a key that does not fit it is E_COMMIT. */
  isNode?: boolean
  signal?: AbortSignal
}

/**
 * Yields the object that the topmost node is in and every object below, each once, in no order that
 * means anything. Nodes that are shared are read once. A key that fits nothing at the top means a
 * plain object, which is all there is.
 *
 * @throws E_COMMIT for a key that fits nothing further down; E_NODE, E_CBOR; what the reader throws;
 *   of these only the signal's reason where there is `onHidden`
 */
export async function* walkVerify(
  reader: SliceReader,
  top: VerifyName,
  options: VerifyWalkOptions = {},
): AsyncGenerator<ObjectRef> {
  const { memory = new WalkMemory(), onHidden, signal } = options
  const steps: Step[] = [{ ...top, sliceBytes: undefined, level: 0 }]
  for (;;) {
    signal?.throwIfAborted()
    const step = steps.pop()
    if (step === undefined) return
    if (!memory.isNewNode(step)) continue
    try {
      const found = await openStep(reader, step, options.isNode === true)
      for (const object of found.objects) if (memory.isNewObject(object)) yield object
      for (const child of found.children) {
        if (memory.hasNode(child)) continue
        if (step.level === maxLevels) {
          memory.forgetNodes()
          throw malformedNode(`more than ${maxLevels} levels`)
        }
        steps.push({ ...child, level: step.level + 1 })
      }
    } catch (error) {
      if (onHidden === undefined || !isGridError(error)) throw error
      onHidden(step, error)
    }
  }
}

function isNew(set: Set<string>, name: string): boolean {
  return set.size < set.add(name).size
}

/** The object a node is in, the objects it stands on, and the nodes below it. */
async function openStep(
  reader: SliceReader,
  { object, offset, sliceBytes, verifyKey }: Step,
  isNode: boolean,
): Promise<{ objects: ObjectRef[]; children: ChildRef[] }> {
  // a plain object is not read to its end to learn that it is one
  const read = sliceBytes ?? commitmentBytes
  const { bytes: start, ciphertextBytes } = await reader.readSlice(object, offset, read)
  const { root, k, n } = object
  const self = { object: { root, k, n, ciphertextBytes }, offset }
  const type = nodeTypeOf(start, verifyKey)
  if (type !== undefined) {
    const { bytes } =
      sliceBytes === undefined
        ? await reader.readSlice(object, offset, undefined)
        : { bytes: start }
    const { objects, children } = parseRefs(openRefs(bytes, type, verifyKey), self)
    return { objects: [self.object, ...objects], children }
  }
  if (sliceBytes === undefined && offset === 0 && !isNode)
    return { objects: [self.object], children: [] }
  throw new GridError('E_COMMIT', 'the verify key does not fit what it is told to be of')
}

function nodeName({ object, offset, sliceBytes, verifyKey }: VisitedNode): string {
  return name(concat(objectBytes(object, sliceBytes), u32be(offset), verifyKey))
}

/** An object as it is told of, with one more number that may be known. */
function objectBytes({ root, k, n }: ObjectName, bytes: number | undefined): Uint8Array {
  return concat(root, Uint8Array.of(k, n), u64be(bytes ?? 0))
}

/** One character a byte: half of what hexadecimal digits would take. */
function name(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
