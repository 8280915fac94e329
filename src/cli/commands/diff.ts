import { type Change, type ChangedPath, diffTrees } from '../../backup/snapshot-diff.ts'
import { entryAt } from '../../backup/snapshot-tree.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { formatPath, parsePath, type Path } from '../../files/path.ts'
import type { Grid } from '../../node/grid.ts'
import { directoryOfCap } from '../../tree/directory-cap.ts'
import { sizeOfEntry } from '../../tree/entry.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import { isDirectory } from '../../tree/same-entry.ts'
import { backupLogOptions, backupReadCap, readSnapshots } from '../snapshot-source.ts'
import { command, type Command } from '../command.ts'
import { kindOf } from '../entry-lines.ts'
import { openHomeGrid } from '../home-grid.ts'
import { findSnapshotPlace, type SnapshotPlace } from '../snapshot-place.ts'

const letters: Readonly<Record<Change, string>> = {
  added: '+',
  removed: '-',
  changed: 'M',
  metadata: 'U',
}

export const diff: Command = command({
  arguments: [
    { name: 'A', summary: 'a snapshot, or a directory in it: SNAP:PATH' },
    { name: 'B', summary: 'the one to compare it with' },
    { name: 'PATH', summary: 'the directory to compare, in both', optional: true },
  ],
  options: backupLogOptions,
  examples: [
    ['grid diff a2b3c4d5e6 latest', 'list what was added (+), removed (-), changed (M, U)'],
    ['grid diff box:3 box:4 data/mail', 'the same of one directory'],
  ],
  async run(context, { positionals: [a, b, within = ''], options }) {
    const { signal, output } = context
    const path = parsePath(within)
    const cap = await backupReadCap(context, options)
    const grid = await openHomeGrid(context)
    try {
      const snapshots = await readSnapshots(context, grid, cap)
      const [before, after] = [
        await directoryAt(grid, await findSnapshotPlace(snapshots, a, { signal }), path),
        await directoryAt(grid, await findSnapshotPlace(snapshots, b, { signal }), path),
      ]
      const count = { added: 0, removed: 0, changed: 0, metadata: 0 }
      const bytes = { added: 0, removed: 0 }
      for await (const each of diffTrees(grid.trees, before, after)) {
        signal.throwIfAborted()
        count[each.change]++
        const [from, to] = [sizeOf(each.before), sizeOf(each.after)]
        if (each.change !== 'metadata') {
          bytes.added += to ?? 0
          bytes.removed += from ?? 0
        }
        await output.item(factsOf(each, from, to), lineOf(each))
      }
      const { added, removed, changed, metadata } = count
      const sizes = `${formatByteSize(bytes.added)} more, ${formatByteSize(bytes.removed)} less`
      return {
        summary: { ...count, addedBytes: bytes.added, removedBytes: bytes.removed },
        text: `${added} added, ${removed} removed, ${changed} changed, ${metadata} in metadata only; ${sizes}`,
      }
    } finally {
      await grid.close()
    }
  },
})

/** Throws E_FILE unless there is a directory. */
async function directoryAt(
  { trees }: Grid,
  { snapshot, path }: SnapshotPlace,
  within: Path,
): Promise<NodeName> {
  const root = directoryOfCap(snapshot.snapshot.cap)
  const whole = [...path, ...within]
  if (whole.length === 0) return root
  const entry = await entryAt(trees, root, whole)
  if (isDirectory(entry)) return entry.content
  throw new GridError('E_FILE', `${snapshot.shortId}:${formatPath(whole)} is not a directory`)
}

function sizeOf(entry: ChangedPath['before']): number | undefined {
  return entry && sizeOfEntry(entry)
}

function lineOf({ change, path, before, after }: ChangedPath): string {
  const slash = isDirectory(after ?? before) ? '/' : ''
  return `${letters[change]} ${formatPath(path)}${slash}`
}

function factsOf(
  { change, path, before, after }: ChangedPath,
  from: number | undefined,
  to: number | undefined,
) {
  return {
    change,
    path: formatPath(path),
    ...(before && {
      before: { kind: kindOf(before), ...(from !== undefined && { sizeBytes: from }) },
    }),
    ...(after && { after: { kind: kindOf(after), ...(to !== undefined && { sizeBytes: to }) } }),
  }
}
