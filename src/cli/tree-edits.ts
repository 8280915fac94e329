/** What commands that change trees share: where a copy goes, and what new directories are like. */
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { formatVersion, type Commit } from '../files/file-tree.ts'
import { formatPath, type Path } from '../files/path.ts'
import type { Attributes } from '../tree/same-entry.ts'
import type { TreeView } from '../files/tree-view.ts'
import { timestampOf } from '../tree/entry.ts'
import type { Outcome } from './command.ts'
import type { TreePlace } from './place.ts'
import { shownPlace } from './tree-places.ts'

export function parentOf(path: Path): Path {
  return path.slice(0, -1)
}

export function newDirectory(clock: Clock): Attributes {
  return {
    mode: 0o755,
    mtime: timestampOf(BigInt(Math.floor(clock.nowMs())) * 1_000_000n),
    meta: {},
  }
}

/**
 * Where something called `name` goes that is copied to `place`: into it if it is a directory, else
 * under its very name.
 *
 * @param several - whether it is one of several, which only a directory can take
 * @throws E_FILE where there is no directory to take it; E_USAGE if it has no name and needs one
 */
export async function destinationIn(
  view: TreeView,
  place: TreePlace,
  name: Uint8Array | undefined,
  several: boolean,
): Promise<Path> {
  const found = await view.find(place.path)
  const isDirectory = found !== undefined && (found.entry?.kind ?? 'directory') === 'directory'
  if (isDirectory) {
    if (name !== undefined) return [...place.path, name]
    throw new GridError('E_USAGE', 'what is copied has no name of its own', {
      hint: 'name it behind the directory, as in work:photos/a.jpg',
    })
  }
  if (several || place.isDirectory)
    throw new GridError('E_FILE', `${shownPlace(place)}: no such directory`)
  if (place.path.length > 1) await view.directory(parentOf(place.path))
  return place.path
}

/** How a command ends that changed a tree. */
export function changed(
  commit: Commit | undefined,
  summary: Outcome['summary'],
  text: string,
): Outcome {
  const version = commit && formatVersion(commit.id)
  return {
    summary: { ...summary, ...(version !== undefined && { version }) },
    text: commit === undefined ? 'nothing to change' : text,
  }
}

/** Whether `path` is `top` or below it. */
export function isWithin(path: Path, top: Path): boolean {
  return formatPath(path.slice(0, top.length)) === formatPath(top)
}
