/**
 * Where the nodes of a directory end (docs/specs/directory.md, "Splitting"): a matter of the rows
 * since the node began, so that equal entries give equal nodes whatever the history.
 */
import { readU32be, utf8Length } from '../base/bytes.ts'
import { hmac } from '../base/hash.ts'
import { type ConvergenceKeys, nodeCutKeyOf } from '../caps/keys.ts'
import { type DirectoryRow, maxDirectoryRows } from './directory-node.ts'
import type { EntryMeta } from './entry-meta.ts'
import { malformedNode } from './refs.ts'

/** One name in 256 ends its node, if nothing else has ended it before. */
const cutBelow = 2 ** 24
/** A node that weighs this much ends. */
const fullWeight = 2 ** 20
/** No entry weighs more, so that no node outgrows what a reader takes. */
export const maxEntryWeight: number = 2 ** 19
/** More than what any row takes beside the parts counted below. */
const rowWeight = 128
const xattrWeight = 32

/** Whether names end their nodes, for one convergence secret. */
export class NodeCutter {
  readonly #key: Uint8Array

  constructor(keys: ConvergenceKeys) {
    this.#key = nodeCutKeyOf(keys)
  }

  /** Whether a node of this depth ends after the row of this name. */
  endsAfter(depth: number, name: Uint8Array): boolean {
    return readU32be(hmac(this.#key, Uint8Array.of(depth), name), 0) < cutBelow
  }
}

/** The rows of a node that is being formed. */
export class NodeRows {
  rows: DirectoryRow[] = []
  #weight = 0

  /** Throws E_NODE for a row that no node has room for. */
  push(row: DirectoryRow): void {
    const weight = weightOf(row)
    if (weight > maxEntryWeight) throw malformedNode('an entry too large for a directory')
    this.rows.push(row)
    this.#weight += weight
  }

  /** Whether the node ends here, whatever the name of its last row. */
  get isFull(): boolean {
    return this.rows.length === maxDirectoryRows || this.#weight >= fullWeight
  }

  /** Takes the rows out, for the next node to begin. */
  take(): DirectoryRow[] {
    const { rows } = this
    this.rows = []
    this.#weight = 0
    return rows
  }
}

/** What a row counts: at least the bytes of its encoding, the same wherever its content is stored. */
export function weightOf(row: DirectoryRow): number {
  const bare = rowWeight + row.name.length
  if ('node' in row) return bare
  const content = row.content instanceof Uint8Array ? row.content.length : 0
  return bare + content + metaWeight(row.meta)
}

function metaWeight({ owner = '', group = '', xattrs = [] }: EntryMeta): number {
  let weight = utf8Length(owner) + utf8Length(group)
  for (const { name, value } of xattrs) weight += xattrWeight + name.length + value.length
  return weight
}
