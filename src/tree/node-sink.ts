/**
 * Where new nodes go: each into an object of its own, or many into bundles in which a node names
 * those before it by object number 0 (docs/specs/directory.md, "Placement").
 */
import { Bundle } from '../encoding/bundle.ts'
import type { NodeRef } from './node-ref.ts'
import type { SealedNode } from './node-slice.ts'
import type { ObjectRef } from './refs.ts'

/** Seals a node for a place in the object `self`; without it, for an object of its own. */
export type NodeSealer = (self?: ObjectRef) => SealedNode

/**
 * Encodes sealed content, handed over, as an object and resolves once its root is known. Whoever passes it in
 * sees to it that the object is placed before anybody relies on it.
 */
export type ContentStore = (content: Uint8Array) => Promise<ObjectRef>

export interface NodeSink {
  /** Takes a node; nodes below it have been put before. One call at a time. */
  put(seal: NodeSealer): Promise<NodeRef>
}

/** Each node is an object of its own, so equal nodes are equal objects whatever the history. */
export class LoneNodes implements NodeSink {
  readonly #store: ContentStore

  constructor(store: ContentStore) {
    this.#store = store
  }

  async put(seal: NodeSealer): Promise<NodeRef> {
    const { slice, readKey } = seal()
    const sliceBytes = slice.length
    return { object: await this.#store(slice), offset: 0, sliceBytes, readKey }
  }
}

/** Nodes go into bundles, in the order in which they are put. */
export class NodeBundler implements NodeSink {
  readonly #store: ContentStore
  #bundle = new Bundle()
  #open = openObject()

  constructor(store: ContentStore) {
    this.#store = store
  }

  /** The object of the result may be open still: what it says of it holds after `finish`. */
  async put(seal: NodeSealer): Promise<NodeRef> {
    let node = seal(this.#open)
    if (this.#bundle.isPassedBy(node.slice.length)) {
      await this.finish()
      // What it named as its neighbours has a root by now.
      node = seal(this.#open)
    }
    const { slice, readKey } = node
    const offset = this.#bundle.add(slice)
    const ref = { object: this.#open, offset, sliceBytes: slice.length, readKey }
    if (this.#bundle.endsAfter(slice.length, node.cutValue)) await this.finish()
    return ref
  }

  /** Ends the bundle that is open, if anything is in it. */
  async finish(): Promise<void> {
    if (this.#bundle.bytes === 0) return
    Object.assign(this.#open, await this.#store(this.#bundle.content()))
    this.#bundle = new Bundle()
    this.#open = openObject()
  }
}

/** An object that is being filled: the one ref of it, whose fields come when its root is known. */
function openObject(): ObjectRef {
  return { root: new Uint8Array(0), k: 0, n: 0, ciphertextBytes: 0 }
}
