/** Copies into a tree, from this machine and from trees, as one new version. */
import path from 'node:path'
import { GridError } from '../base/errors.ts'
import { copyEdits } from '../files/copy-edits.ts'
import type { Edit } from '../files/edit-tree.ts'
import { formatVersion } from '../files/file-tree.ts'
import { formatPath, type Path } from '../files/path.ts'
import { isDirectory } from '../tree/same-entry.ts'
import type { ContentWriter } from '../files/tree-storage.ts'
import type { TreeView } from '../files/tree-view.ts'
import { sizeOfEntry, type DirectoryEntry } from '../tree/entry.ts'
import { formatCap } from '../caps/text.ts'
import { utf8 } from '../base/bytes.ts'
import type { Context } from './command.ts'
import { copyIn, type CopyCount } from './copy-in.ts'
import type { Place, TreePlace } from './place.ts'
import { destinationIn, newDirectory } from './tree-edits.ts'
import { shownPlace, type TreePlaces } from './tree-places.ts'

export interface CopyToTree {
  sources: readonly Place[]
  target: TreePlace
  recursive: boolean
  /** Replaces nothing that is there. */
  noClobber: boolean
}

/** Throws E_EXISTS, E_FILE, E_USAGE before anything is changed. */
export async function copyToTree(
  context: Context,
  places: TreePlaces,
  copy: CopyToTree,
): Promise<{ count: CopyCount; version: string | undefined }> {
  const { sources, target } = copy
  const count = { files: 0, bytes: 0, directories: 0, skipped: 0 }
  const files = await places.files(target)
  const work = async (view: TreeView, writer: ContentWriter): Promise<Edit[]> => {
    const edits: Edit[] = []
    for (const source of sources) {
      const at = await destinationIn(view, target, nameOf(source), sources.length > 1)
      if (at.length > 0) await checkTarget(view, at, copy)
      const of =
        source.kind === 'local'
          ? await copyIn(context, writer, { ...copy, source: source.path, target: at }, count)
          : await editsOfTree(context, places, { view, writer }, { ...copy, source, at }, count)
      for (const edit of of) if (!copy.noClobber || !(await isTaken(view, edit))) edits.push(edit)
    }
    return edits
  }
  const commit = await files.change(work, { signal: context.signal })
  return { count, version: commit && formatVersion(commit.id) }
}

/** What a source is called where a directory takes it; a cap, and a root, have no name. */
function nameOf(source: Place): Uint8Array | undefined {
  if (source.kind === 'tree') return source.path.at(-1)
  if (source.path === '-') return undefined
  const name = path.basename(path.resolve(source.path))
  return name === '' ? undefined : utf8(name)
}

/** A directory is never put in the place of a file, nor a file in that of a directory, which is `-r`'s business. */
async function checkTarget(view: TreeView, at: Path, { recursive }: CopyToTree): Promise<void> {
  const found = await view.find(at)
  if (found?.entry === undefined || !isDirectory(found.entry) || recursive) return
  throw new GridError('E_EXISTS', `${formatPath(at)} is a directory`)
}

async function isTaken(view: TreeView, edit: Edit): Promise<boolean> {
  return 'entry' in edit && (await view.find(edit.path)) !== undefined
}

async function editsOfTree(
  { signal, world }: Context,
  places: TreePlaces,
  { view, writer }: { view: TreeView; writer: ContentWriter },
  { source, target, at, recursive }: CopyToTree & { source: TreePlace; at: Path },
  count: CopyCount,
): Promise<Edit[]> {
  const fromCap = await entryOfFileCap(places, source, writer, signal)
  if (fromCap !== undefined) {
    count.files++
    count.bytes += sizeOfEntry(fromCap) ?? 0
    const attributes = { ...newDirectory(world.clock), mode: 0o644, name: at[at.length - 1] }
    return [{ path: at, entry: { ...fromCap, ...attributes } }]
  }
  const from = places.isOne(source, target) ? view : (await places.tree(source)).view
  const { entry } = await from.get(source.path)
  const isBranch = entry === undefined || isDirectory(entry)
  if (isBranch && !recursive)
    throw new GridError('E_FILE', `${shownPlace(source)} is a directory`, {
      hint: 'give -r to copy all of it',
    })
  const edits: Edit[] = []
  if (entry !== undefined) for await (const edit of copyEdits(from, entry, at)) edits.push(edit)
  else {
    // All that is in a root, as it has no name of its own.
    for await (const each of from.list([]))
      for await (const edit of copyEdits(from, each, [...at, each.name])) edits.push(edit)
  }
  count[isBranch ? 'directories' : 'files']++
  count.bytes += (entry && sizeOfEntry(entry)) ?? 0
  return edits
}

/** A file that a cap reads, stored as one of the tree; undefined for a place in a tree. */
async function entryOfFileCap(
  { grid }: TreePlaces,
  { source, path }: TreePlace,
  writer: ContentWriter,
  signal: AbortSignal,
): Promise<DirectoryEntry | undefined> {
  if ('alias' in source || path.length > 0) return undefined
  const { cap } = source
  if (cap.type !== 'CHK' && cap.type !== 'LIT' && cap.type !== 'CHK-Slice') return undefined
  const text = formatCap(cap)
  const input = { stream: grid.get(text, { signal }), sizeBytes: grid.size(text) }
  const { kind, content } = await writer.putContent(input)
  return { kind, content } as DirectoryEntry
}
