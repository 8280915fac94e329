/**
 * Compares two directories, reading only what differs: nodes that are the same on both sides are
 * passed over (docs/specs/versions.md, "Comparing").
 */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { type DirectoryRow, isEntries } from './directory-node.ts'
import { openBelow, type OpenedNode, openRoot } from './directory-tree.ts'
import type { DirectoryEntry } from './entry.ts'
import type { NodeName } from './node-ref.ts'
import { sameRow } from './same-row.ts'
import type { SliceReader } from './slice-reader.ts'

/** What a name means on the two sides; undefined where it is not there. They are not the same. */
export interface EntryDifference {
  name: Uint8Array
  before: DirectoryEntry | undefined
  after: DirectoryEntry | undefined
}

/**
 * Yields the names that differ, ascending. Equal content that is stored in two places differs.
 *
 * @param before - undefined, as `after`: an empty directory
 * @throws as `listDirectory`
 */
export async function* diffDirectories(
  reader: SliceReader,
  before: NodeName | undefined,
  after: NodeName | undefined,
): AsyncGenerator<EntryDifference> {
  if (before && after && equalBytes(before.readKey, after.readKey)) return
  const [left, right] = [await Cursor.at(reader, before), await Cursor.at(reader, after)]
  for (;;) {
    const [a, b] = [left.next, right.next]
    if (a === undefined && b === undefined) return
    const [depthA, depthB] = [left.depth, right.depth]
    if (isNode(a) && isNode(b) && equalBytes(a.node.readKey, b.node.readKey)) {
      left.pass()
      right.pass()
    } else if (isNode(a) || isNode(b)) {
      // What is deeper is opened first, so that equal nodes come to stand side by side.
      if (depthA >= depthB) await left.open()
      if (depthB >= depthA) await right.open()
    } else {
      const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a.name, b.name)
      if (order <= 0) left.pass()
      if (order >= 0) right.pass()
      if (order < 0) yield { name: a!.name, before: a, after: undefined }
      else if (order > 0) yield { name: b!.name, before: undefined, after: b }
      else if (!sameRow(a!, b!)) yield { name: a!.name, before: a, after: b }
    }
  }
}

function isNode(row: DirectoryRow | undefined): row is Extract<DirectoryRow, { node: unknown }> {
  return row !== undefined && 'node' in row
}

/** A place among the rows of a directory: in front of an entry, or of a node that may be passed whole. */
class Cursor {
  readonly #reader: SliceReader
  readonly #path: { opened: OpenedNode; at: number }[] = []

  private constructor(reader: SliceReader) {
    this.#reader = reader
  }

  static async at(reader: SliceReader, directory: NodeName | undefined): Promise<Cursor> {
    const cursor = new Cursor(reader)
    if (directory !== undefined) cursor.#enter(await openRoot(reader, directory))
    return cursor
  }

  get next(): DirectoryRow | undefined {
    const top = this.#path.at(-1)
    return top?.opened.node.rows[top.at]
  }

  /** Nodes below what comes next; -1 at the end. */
  get depth(): number {
    return this.#path.at(-1)?.opened.node.depth ?? -1
  }

  pass(): void {
    this.#path[this.#path.length - 1].at++
    this.#leave()
  }

  /** Goes into the node that comes next, if one does. */
  async open(): Promise<void> {
    const top = this.#path.at(-1)
    if (top === undefined || isEntries(top.opened.node)) return
    const below = await openBelow(this.#reader, top.opened, top.at)
    top.at++
    this.#enter(below)
  }

  #enter(opened: OpenedNode): void {
    this.#path.push({ opened, at: 0 })
    this.#leave()
  }

  #leave(): void {
    for (let top = this.#path.at(-1); top !== undefined; top = this.#path.at(-1)) {
      if (top.at < top.opened.node.rows.length) return
      this.#path.pop()
    }
  }
}
