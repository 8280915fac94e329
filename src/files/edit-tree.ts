/** Changes at any number of paths of a tree, applied together: each directory is changed once. */
import { compareBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { findEntry } from '../tree/directory-reader.ts'
import { changeDirectory, type DirectoryWriteContext } from '../tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { formatPath, maxPathNames, nameKey, type Path } from './path.ts'
import { type Attributes, attributesOf, isDirectory, renamed } from '../tree/same-entry.ts'

/** What becomes of a path. */
export type Edit =
  /** An entry whose name is the last of the path; what was there before is gone. */
  | { path: Path; entry: DirectoryEntry }
  /** A new directory without entries, or a present one with these attributes. */
  | { path: Path; directory: Attributes }
  | { path: Path; remove: true }

/** A place in the tree that edits are at or below. */
interface Place {
  path: Path
  edit: Edit | undefined
  below: Map<string, Place>
  present: DirectoryEntry | undefined
  result: DirectoryEntry | undefined
}

/**
 * The tree after `edits`; of two at one path the later counts. Directories on the way that are not
 * there are made, with the attributes `made`.
 *
 * @param context - only what was there before is read
 * @throws E_FILE where an edit is below a file; RangeError for an edit of the root; what the reader throws
 */
export async function editTree(
  context: DirectoryWriteContext,
  root: NodeName | undefined,
  edits: Iterable<Edit>,
  made: Attributes,
): Promise<DirectoryRef> {
  const top: Place = {
    path: [],
    edit: undefined,
    below: new Map(),
    present: undefined,
    result: undefined,
  }
  for (const edit of edits) placeAt(top, edit.path).edit = edit
  // Parents before what is below them; then the other way round.
  const places: Place[] = [top]
  for (const place of places) {
    if (place.below.size === 0) continue
    const base = place === top ? root : directoryAt(place)
    for (const below of place.below.values()) {
      const name = below.path[below.path.length - 1]
      below.present =
        base && isAsked(below) ? await findEntry(context.reader, base, name) : undefined
      places.push(below)
    }
  }
  for (const place of places.slice(1).reverse()) place.result = await resultOf(context, place, made)
  return changeDirectory(context, root, changesBelow(top))
}

function placeAt(top: Place, path: Path): Place {
  if (path.length === 0) throw new RangeError('edit: the root itself')
  if (path.length > maxPathNames) throw new GridError('E_FILE', 'a path of too many names')
  let place = top
  for (const [i, name] of path.entries()) {
    const key = nameKey(name)
    const next = place.below.get(key) ?? {
      path: path.slice(0, i + 1),
      edit: undefined,
      below: new Map<string, Place>(),
      present: undefined,
      result: undefined,
    }
    place.below.set(key, next)
    place = next
  }
  return place
}

/** Whether it matters what is at a place: not where an entry is put or removed, and nothing below. */
function isAsked({ edit, below }: Place): boolean {
  return below.size > 0 || edit === undefined || 'directory' in edit
}

/** The directory that edits below this place are made in; undefined for a new one. */
function directoryAt({ edit, present, path }: Place): NodeName | undefined {
  const entry = edit !== undefined && 'entry' in edit ? edit.entry : present
  if (edit !== undefined && 'remove' in edit) return undefined
  if (entry === undefined) return undefined
  if (isDirectory(entry)) return entry.content
  throw new GridError('E_FILE', `${formatPath(path)} is not a directory`)
}

async function resultOf(
  context: DirectoryWriteContext,
  place: Place,
  made: Attributes,
): Promise<DirectoryEntry | undefined> {
  const { edit, present, below, path } = place
  if (below.size === 0 && edit !== undefined) {
    if ('remove' in edit) return undefined
    if ('entry' in edit) return renamed(edit.entry, path[path.length - 1])
  }
  const base = directoryAt(place)
  const content = await changeDirectory(context, base, changesBelow(place))
  const given = edit !== undefined && 'directory' in edit ? edit.directory : undefined
  const kept = edit !== undefined && 'entry' in edit ? edit.entry : present
  const attributes = given ?? (kept && isDirectory(kept) ? attributesOf(kept) : made)
  return { ...attributes, name: path[path.length - 1], kind: 'directory', content }
}

function changesBelow({ below }: Place): { name: Uint8Array; entry: DirectoryEntry | undefined }[] {
  return [...below.values()]
    .map(({ path, result }) => ({ name: path[path.length - 1], entry: result }))
    .sort((a, b) => compareBytes(a.name, b.name))
}
