/** Writes entries of a tree to this machine: never outside the target, never through a link. */
import { isDirectory } from '../tree/same-entry.ts'
import type { TreeView } from '../files/tree-view.ts'
import { type EntryFacts, factsOf } from '../local/facts.ts'
import type { TargetDirectory } from '../local/target-directory.ts'
import type { FileContent } from '../node/content/file-content.ts'
import type { TreeStore } from '../node/content/tree-store.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import type { Context } from './command.ts'
import type { CopyCount } from './copy-in.ts'
import type { Refusals } from './refusal.ts'

export interface CopyOut {
  trees: Pick<TreeStore, 'readContent'>
  view: TreeView
  /** Where the target reports. */
  refusals: Refusals
  count: CopyCount
}

/** Writes one entry that is no directory, under `name`. What is refused is reported. */
export async function copyFileOut(
  { signal }: Context,
  { trees, count }: CopyOut,
  entry: DirectoryEntry,
  directory: TargetDirectory,
  name: Uint8Array = entry.name,
): Promise<void> {
  const facts = { ...factsOf(entry), name }
  const content = () => trees.readContent(entry as FileContent, { signal })
  const outcome = await directory.place(facts, content)
  signal.throwIfAborted()
  if (outcome !== 'made' && outcome !== 'replaced') return
  count.files++
  count.bytes += facts.sizeBytes
}

/** Writes everything below a directory of the tree into `target`. What is refused is warned of. */
export async function copyTreeOut(
  context: Context,
  copy: CopyOut,
  from: NodeName | undefined,
  target: TargetDirectory,
): Promise<void> {
  const { output, signal } = context
  const { view, refusals, count } = copy
  const open: { directory: TargetDirectory; facts?: EntryFacts }[] = [{ directory: target }]
  /** The directory that was made last: whatever could not be made is not gone into. */
  let entered: DirectoryEntry | undefined
  const finishTo = (depth: number): void => {
    while (open.length > depth) {
      const { directory, facts } = open.pop()!
      directory.finish(facts)
    }
  }
  const enter = ({ entry }: { entry: DirectoryEntry }): boolean => entry === entered
  const task = context.progress.start('copying', undefined)
  try {
    for await (const { path, entry } of view.walk(from, { enter, signal })) {
      finishTo(path.length)
      const { directory } = open[open.length - 1]
      if (isDirectory(entry)) {
        const facts = factsOf(entry)
        const below = directory.directory(facts)
        if (below !== undefined) {
          open.push({ directory: below, facts })
          entered = entry
        }
      } else await copyFileOut(context, copy, entry, directory)
      task.advance(count.bytes, `${count.files} files`)
      await refusals.warn(output, count)
    }
    finishTo(1)
    await refusals.warn(output, count)
  } finally {
    task.end()
    for (const { directory } of open.slice(1)) directory.abandon()
  }
}
