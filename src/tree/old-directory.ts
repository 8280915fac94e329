/** The directory that is being changed: finds its nodes by depth and name, and keeps a few opened. */
import { firstAfter, firstFrom } from './directory-node.ts'
import { openBelow, type OpenedNode, openRoot } from './directory-tree.ts'
import type { NodeName, NodeRef } from './node-ref.ts'
import type { SliceReader } from './slice-reader.ts'

export class OldDirectory {
  readonly #reader: SliceReader
  readonly #root: OpenedNode
  /** The node last opened at each depth, and what row of what node led to it. */
  readonly #opened: { parent: OpenedNode; index: number; node: OpenedNode }[] = []

  private constructor(reader: SliceReader, root: OpenedNode) {
    this.#reader = reader
    this.#root = root
  }

  static async open(reader: SliceReader, name: NodeName): Promise<OldDirectory> {
    return new OldDirectory(reader, await openRoot(reader, name))
  }

  get depth(): number {
    return this.#root.node.depth
  }

  get ref(): NodeRef {
    return this.#root.ref
  }

  /** The node of this depth in which the name is, or would be; the last one if none reaches so far. */
  async nodeFor(depth: number, name: Uint8Array): Promise<OpenedNode> {
    let opened = this.#root
    while (opened.node.depth > depth) {
      const { rows } = opened.node
      opened = await this.#below(opened, Math.min(firstFrom(rows, name), rows.length - 1))
    }
    return opened
  }

  /** The node of this depth that follows the one with the greatest name `last`; there is one. */
  async nodeAfter(depth: number, last: Uint8Array): Promise<OpenedNode> {
    let opened = this.#root
    while (opened.node.depth > depth) {
      opened = await this.#below(opened, firstAfter(opened.node.rows, last))
    }
    return opened
  }

  /** Opens a node of this directory by its reference alone. */
  async open(ref: NodeRef): Promise<OpenedNode> {
    return openRoot(this.#reader, ref)
  }

  /** Levels are changed side by side, so the node of a depth is asked for again and again. */
  async #below(parent: OpenedNode, index: number): Promise<OpenedNode> {
    const depth = parent.node.depth - 1
    const known = this.#opened[depth]
    if (known?.parent === parent && known.index === index) return known.node
    const node = await openBelow(this.#reader, parent, index)
    this.#opened[depth] = { parent, index, node }
    return node
  }
}
