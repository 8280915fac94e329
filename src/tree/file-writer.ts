/** Builds the tree of a large file while its extents come in, in constant memory for any size. */
import type { ConvergenceKeys } from '../caps/keys.ts'
import {
  type ChildRow,
  type ExtentRow,
  type FileNode,
  rowsPerNode,
  sealFileNode,
} from './file-node.ts'
import type { NodeSink } from './node-sink.ts'

export class FileTreeWriter {
  readonly #keys: ConvergenceKeys
  readonly #sink: NodeSink
  #extents: ExtentRow[] = []
  /** Rows waiting for a node, by depth - 1. */
  readonly #levels: ChildRow[][] = []

  constructor(keys: ConvergenceKeys, sink: NodeSink) {
    this.#keys = keys
    this.#sink = sink
  }

  /** Adds the next extent, in the order of the file. */
  async add(row: ExtentRow): Promise<void> {
    if (this.#extents.length === rowsPerNode) await this.#closeExtents()
    this.#extents.push(row)
  }

  /** Writes what is left, bottom up; resolves to the root node. */
  async finish(): Promise<ChildRow> {
    if (this.#levels.length === 0) return this.#writeNode({ depth: 0, rows: this.#extents })
    await this.#closeExtents()
    for (let level = 0; ; level++) {
      const rows = this.#levels[level] ?? []
      if (level === this.#levels.length - 1) return this.#writeNode({ depth: level + 1, rows })
      await this.#closeLevel(level)
    }
  }

  async #closeExtents(): Promise<void> {
    const rows = this.#extents
    this.#extents = []
    await this.#push(0, await this.#writeNode({ depth: 0, rows }))
  }

  async #closeLevel(level: number): Promise<void> {
    const rows = this.#levels[level] ?? []
    this.#levels[level] = []
    if (rows.length > 0)
      await this.#push(level + 1, await this.#writeNode({ depth: level + 1, rows }))
  }

  async #push(level: number, row: ChildRow): Promise<void> {
    const rows = (this.#levels[level] ??= [])
    if (rows.length === rowsPerNode) await this.#closeLevel(level)
    this.#levels[level]?.push(row)
  }

  async #writeNode(node: FileNode): Promise<ChildRow> {
    const ref = await this.#sink.put((self) => sealFileNode(this.#keys, node, self))
    const plaintextBytes = node.rows.reduce((sum, row) => sum + row.plaintextBytes, 0)
    return { ...ref, plaintextBytes }
  }
}
