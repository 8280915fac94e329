/** The one tree that a log means now, whatever the number of its heads (docs/specs/versions.md, "Heads"). */
import { directoryOfCap } from '../tree/directory-cap.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { GridError } from '../base/errors.ts'
import { mergeTrees } from './merge.ts'
import type { Scratch } from './scratch.ts'
import type { Version, VersionGraph } from './version-graph.ts'

/** Merges of what merges go back to, below each other; then the newest of them serves alone. */
const maxLevels = 8

/** The tree of a version as it was written. */
export async function treeOfVersion(graph: VersionGraph, version: Version): Promise<NodeName> {
  const snapshot = await graph.snapshotOf(version)
  if (snapshot === undefined) throw new GridError('E_ENTRY', 'an entry of the log is no snapshot')
  return directoryOfCap(snapshot.cap)
}

/**
 * What `versions` are together: a tree that is stored if there is one of them, else one of
 * `scratch`; undefined for none. The same for every reader.
 *
 * @param versions - in order
 */
export async function treeOfVersions(
  graph: VersionGraph,
  scratch: Scratch,
  versions: readonly Version[],
  level = 0,
): Promise<NodeName | undefined> {
  const [first, ...others] = versions
  if (first === undefined) return undefined
  let tree = await treeOfVersion(graph, first)
  for (const [i, version] of others.entries()) {
    const bases = await graph.bases(versions.slice(0, i + 1), version)
    const known = level < maxLevels ? bases : bases.slice(-1)
    const base = await treeOfVersions(graph, scratch, known, level + 1)
    const second = await treeOfVersion(graph, version)
    tree = await mergeTrees(scratch, { base, first: tree, second }, version)
  }
  return tree
}
