/**
 * All nodes of one depth of a directory that is being changed. Changes come in ascending by name;
 * each node that differs from an old one is written, and the depth above is told.
 *
 * Between changes a level is either in step with the old nodes (the last node formed ended where an
 * old one did), or in the middle of one. Old nodes that no change touches and that begin in step are
 * not read.
 */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import {
  type DirectoryRow,
  maxDirectoryDepth,
  type NodeRow,
  nodeOf,
  sealDirectoryNode,
} from './directory-node.ts'
import type { OpenedNode } from './directory-tree.ts'
import type { DirectoryRef } from './entry.ts'
import { type NodeCutter, NodeRows } from './node-end.ts'
import type { NodeRef } from './node-ref.ts'
import type { NodeSink } from './node-sink.ts'
import type { OldDirectory } from './old-directory.ts'
import { sameRow } from './same-row.ts'

export interface LevelContext {
  keys: ConvergenceKeys
  sink: NodeSink
  cutter: NodeCutter
  old: OldDirectory | undefined
  /** The node last written at each depth. */
  written: ({ ref: NodeRef; rows: readonly DirectoryRow[] } | undefined)[]
}

export class DirectoryLevel {
  readonly #context: LevelContext
  readonly #depth: number
  readonly #forming = new NodeRows()
  #above: DirectoryLevel | undefined
  /** The old node whose rows are being taken over, up to `#taken`. */
  #old: OpenedNode | undefined
  #taken = 0
  /** Whether what is being formed are the rows of `#old` so far, and no others. */
  #isCopy = false
  /** Last names of old nodes that are not in the new directory, to be told above in their turn. */
  #gone: Uint8Array[] = []
  #lastOld: Uint8Array | undefined
  /** Nodes that have ended, new or kept. */
  #nodeCount = 0
  /** The first node of a topmost level. Above it is told of once more follows: else it is the top. */
  #first: NodeRow | undefined

  constructor(context: LevelContext, depth: number) {
    if (depth > maxDirectoryDepth) throw new GridError('E_NODE', 'a directory of too many levels')
    this.#context = context
    this.#depth = depth
  }

  /** Puts a row in the place of the one with this name, or removes that. Names only ascend. */
  async change(name: Uint8Array, row: DirectoryRow | undefined): Promise<void> {
    await this.#takeUntil(name)
    const present = this.#old?.node.rows[this.#taken]
    const replaces = present !== undefined && equalBytes(present.name, name)
    if (row === undefined && !replaces) return
    // It is taken over in its turn.
    if (row !== undefined && replaces && sameRow(present, row)) return
    this.#isCopy = false
    if (replaces) this.#taken++
    if (row !== undefined) await this.#push(row, this.#context.cutter.endsAfter(this.#depth, name))
  }

  /** Ends the level; resolves to the topmost node. */
  async finish(): Promise<DirectoryRef> {
    const { old } = this.#context
    await this.#takeRest()
    if (this.#depth === old?.depth && this.#old === undefined) return old.ref
    if (this.#isTop && this.#nodeCount === 0) {
      const { rows } = this.#forming
      if (rows.length === 0) return this.#isCopy && old ? old.ref : this.#write(0, [])
      const [row] = rows
      if (rows.length === 1 && 'node' in row) return this.#onlyNode(row.node, this.#depth - 1)
    }
    if (this.#forming.rows.length > 0) await this.#end()
    if (this.#first !== undefined) return this.#onlyNode(this.#first.node, this.#depth)
    while (!this.#isTop && this.#gone.length > 0) await this.#tellAbove(this.#gone[0], undefined)
    return this.#above === undefined ? old!.ref : this.#above.finish()
  }

  /** Whether there are no old nodes above. */
  get #isTop(): boolean {
    const { old } = this.#context
    return old === undefined || this.#depth >= old.depth
  }

  /** Takes old rows below `name` over, up to the old node that the name belongs in. */
  async #takeUntil(name: Uint8Array): Promise<void> {
    const { old } = this.#context
    if (old === undefined || this.#depth > old.depth) return
    for (;;) {
      this.#old ??= this.#begin(
        this.#forming.rows.length === 0
          ? await old.nodeFor(this.#depth, name)
          : await old.nodeAfter(this.#depth, this.#lastOld!),
      )
      const { rows } = this.#old.node
      while (this.#taken < rows.length && compareBytes(rows[this.#taken].name, name) < 0)
        await this.#takeOver(rows)
      if (this.#taken < rows.length || this.#old.isLast) return
      this.#old = undefined
    }
  }

  /** Takes old rows over until the level is in step again, or at its end. */
  async #takeRest(): Promise<void> {
    const { old } = this.#context
    for (;;) {
      if (this.#old !== undefined) {
        const { rows } = this.#old.node
        while (this.#taken < rows.length) await this.#takeOver(rows)
        if (this.#old.isLast) return
      }
      if (this.#forming.rows.length === 0 || this.#lastOld === undefined) return
      this.#old = this.#begin(await old!.nodeAfter(this.#depth, this.#lastOld))
    }
  }

  #begin(opened: OpenedNode): OpenedNode {
    const { rows } = opened.node
    this.#taken = 0
    this.#isCopy = this.#forming.rows.length === 0
    if (rows.length > 0) {
      this.#lastOld = rows[rows.length - 1].name
      this.#gone.push(this.#lastOld)
    }
    return opened
  }

  async #takeOver(rows: readonly DirectoryRow[]): Promise<void> {
    const row = rows[this.#taken++]
    // A name that did not end its old node is none that ends nodes.
    const isLast = this.#taken === rows.length
    await this.#push(row, isLast && this.#context.cutter.endsAfter(this.#depth, row.name))
  }

  async #push(row: DirectoryRow, ends: boolean): Promise<void> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) await this.#tellAbove(first.name, first.node)
    this.#forming.push(row)
    if (ends || this.#forming.isFull) await this.#end()
  }

  /** Ends the node that is being formed: keeps the old one if it is the same, or writes it. */
  async #end(): Promise<void> {
    const rows = this.#forming.take()
    const isKept = this.#isCopy && this.#taken === this.#old?.node.rows.length
    this.#isCopy = false
    this.#nodeCount++
    const { name } = rows[rows.length - 1]
    const node = isKept ? this.#old!.ref : await this.#write(this.#depth, rows)
    if (isKept) this.#gone.pop()
    if (this.#isTop && this.#nodeCount === 1) this.#first = { name, node }
    // Below the old root a node that is kept is known above.
    else if (!isKept || this.#isTop) await this.#tellAbove(name, node)
  }

  async #tellAbove(name: Uint8Array, node: NodeRef | undefined): Promise<void> {
    this.#above ??= new DirectoryLevel(this.#context, this.#depth + 1)
    while (this.#gone.length > 0 && compareBytes(this.#gone[0], name) < 0)
      await this.#above.change(this.#gone.shift()!, undefined)
    if (this.#gone.length > 0 && equalBytes(this.#gone[0], name)) this.#gone.shift()
    await this.#above.change(name, node && { name, node })
  }

  async #write(depth: number, rows: readonly DirectoryRow[]): Promise<NodeRef> {
    const { keys, sink, written } = this.#context
    const ref = await sink.put((self) => sealDirectoryNode(keys, nodeOf(depth, rows), self))
    written[depth] = { ref, rows }
    return ref
  }

  /** The only node of a depth, or the first below it of more rows than one. */
  async #onlyNode(only: NodeRef, depthOfIt: number): Promise<DirectoryRef> {
    const { old, written } = this.#context
    let ref = only
    for (let depth = depthOfIt; depth > 0; depth--) {
      const last = written[depth]
      const rows = last?.ref === ref ? last.rows : (await old!.open(ref)).node.rows
      const [row] = rows
      if (rows.length > 1 || !('node' in row)) break
      ref = row.node
    }
    return ref
  }
}
