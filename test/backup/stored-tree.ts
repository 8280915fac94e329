/** A folder of this machine stored as a snapshot's tree, as simply as can be. */
import type { LocalEntry } from '../../src/local/local-entry.ts'
import { LocalTree } from '../../src/local/local-tree.ts'
import type { EntryFacts } from '../../src/local/facts.ts'
import type { SnapshotTotals } from '../../src/log/snapshot-body.ts'
import type { FileContent } from '../../src/node/content/file-content.ts'
import type { Grid } from '../../src/node/grid.ts'
import type { ManyInput } from '../../src/node/content/many-files.ts'
import type { TreeWriteOptions } from '../../src/node/content/tree-writer.ts'
import { totalsOf } from '../../src/node/content/tree-totals.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../../src/tree/entry.ts'
import { native } from '../local/scratch.ts'

export interface StoredTree {
  ref: DirectoryRef
  totals: SnapshotTotals
}

interface Folder {
  facts: EntryFacts
  below: (Folder | { facts: EntryFacts; content: FileContent | undefined })[]
}

/** Stores what is in `folder`: its own attributes are those of no entry. */
export async function storeTree(
  grid: Grid,
  folder: string,
  options: TreeWriteOptions & { compress?: boolean } = {},
): Promise<StoredTree> {
  const ref = await grid.trees.write(async (writer) => {
    const tree = new LocalTree(folder, { report: () => {}, native })
    const open: Folder[] = []
    let top: Folder | undefined
    async function* inputs(): AsyncGenerator<
      ManyInput<{ into: Folder; at: number; facts: EntryFacts }>
    > {
      for (const { step, entry } of tree.walk()) {
        if (step === 'leave') {
          top = open.pop()
          continue
        }
        const facts = tree.describe(entry)
        const into = open.at(-1)
        if (step === 'enter') {
          const below: Folder = { facts, below: [] }
          into?.below.push(below)
          open.push(below)
        } else if (entry.kind !== 'file') into!.below.push({ facts, content: undefined })
        else {
          const at = into!.below.push({ facts, content: undefined }) - 1
          yield { item: { into: into!, at, facts }, ...inputOf(tree, entry) }
        }
      }
    }
    for await (const { item, kind, content } of writer.putMany(inputs(), options)) {
      const { into, at, facts } = item
      into.below[at] = { facts, content: { kind, content } as FileContent }
    }
    const write = async (from: Folder): Promise<DirectoryRef> => {
      const entries: DirectoryEntry[] = []
      for (const each of from.below) {
        const { name, mode, mtime, meta, target, kind } = each.facts
        const facts = { name, mode, mtime, meta }
        if ('below' in each)
          entries.push({ ...facts, kind: 'directory', content: await write(each) })
        else if (each.content !== undefined) entries.push({ ...facts, ...each.content })
        else entries.push({ ...facts, kind, content: target } as DirectoryEntry)
      }
      return writeDirectory(writer, entries)
    }
    return write(top!)
  }, options)
  return { ref, totals: await totalsOf(grid.trees, ref) }
}

function inputOf(tree: LocalTree, entry: LocalEntry) {
  const file = tree.open(entry)
  return {
    input: { fd: file.fd, sizeBytes: file.sizeBytes },
    close: () => {
      file.close()
    },
  }
}
