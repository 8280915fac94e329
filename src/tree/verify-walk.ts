/**
 * Every object below a node, found with verify keys alone (docs/specs/directory.md, "Verifying"):
 * no names, no contents, no read keys.
 */
import { concat, u32be } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
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
 * Yields the object that the topmost node is in and every object below, each once, in no order that
 * means anything. Nodes that are shared are read once. A key that fits nothing at the top means a
 * plain object, which is all there is.
 *
 * @throws E_COMMIT for a key that fits nothing further down; E_NODE, E_CBOR; what the reader throws
 */
export async function* walkVerify(reader: SliceReader, top: VerifyName): AsyncGenerator<ObjectRef> {
  const objects = new Set<string>()
  const nodes = new Set<string>()
  const steps: Step[] = [{ ...top, sliceBytes: undefined, level: 0 }]
  const isNew = (set: Set<string>, name: string): boolean => set.size < set.add(name).size
  for (;;) {
    const step = steps.pop()
    if (step === undefined) return
    if (!isNew(nodes, nodeName(step))) continue
    const found = await openStep(reader, step)
    for (const object of found.objects) if (isNew(objects, name(object.root))) yield object
    for (const child of found.children) {
      if (nodes.has(nodeName(child))) continue
      if (step.level === maxLevels) throw malformedNode(`more than ${maxLevels} levels`)
      steps.push({ ...child, level: step.level + 1 })
    }
  }
}

/** The object a node is in, the objects it stands on, and the nodes below it. */
async function openStep(
  reader: SliceReader,
  { object, offset, sliceBytes, verifyKey }: Step,
): Promise<{ objects: ObjectRef[]; children: ChildRef[] }> {
  const { bytes, ciphertextBytes } = await reader.readSlice(object, offset, sliceBytes)
  const { root, k, n } = object
  const self = { object: { root, k, n, ciphertextBytes }, offset }
  const type = nodeTypeOf(bytes, verifyKey)
  if (type !== undefined) {
    const { objects, children } = parseRefs(openRefs(bytes, type, verifyKey), self)
    return { objects: [self.object, ...objects], children }
  }
  if (sliceBytes === undefined && offset === 0) return { objects: [self.object], children: [] }
  throw new GridError('E_COMMIT', 'the verify key does not fit what it is told to be of')
}

function nodeName({ object, offset, verifyKey }: VerifyName): string {
  return name(concat(object.root, u32be(offset), verifyKey))
}

/** One character a byte: half of what hexadecimal digits would take. */
function name(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
