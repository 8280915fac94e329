/** Stores files of this machine and gives the edits that put them into a tree. */
import nodePath from 'node:path'
import type { Edit } from '../files/edit-tree.ts'
import { formatPath, type Path } from '../files/path.ts'
import type { ContentWriter } from '../files/tree-storage.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import { untilAborted } from '../base/deadline.ts'
import { errorText, GridError } from '../base/errors.ts'
import { newDirectory } from './tree-edits.ts'
import type { Context } from './command.ts'
import { linkTarget, type LocalItem, openLocal, walkLocal } from './local-source.ts'

/** What came of a copy. */
export interface CopyCount {
  files: number
  bytes: number
  /** Those taken over as they are, with all that is in them. */
  directories: number
  /** What was passed over; each has been warned of. */
  skipped: number
}

export interface CopyIn {
  /** A path of this machine, or `-` for standard input. */
  source: string
  /** Where it is to be in the tree. */
  target: Path
  recursive: boolean
}

/** Counts what it stores in `count`. Throws E_FILE for a directory without `recursive`. */
export async function copyIn(
  context: Context,
  writer: ContentWriter,
  { source, target, recursive }: CopyIn,
  count: CopyCount,
): Promise<Edit[]> {
  const { output, signal } = context
  if (source === '-') return [await copyStdin(context, writer, target, count)]
  const edits: Edit[] = []
  const refuse = async (at: Uint8Array, error: unknown): Promise<void> => {
    count.skipped++
    await output.warning(`${formatPath([at])}: left out: ${errorText(error)}`)
  }
  type Storing = LocalItem & { changed: boolean }
  async function* inputs() {
    for await (const item of walkLocal(source, { recursive, refuse })) {
      signal.throwIfAborted()
      const path = [...target, ...item.path]
      if (item.kind === 'directory') {
        if (!recursive) throw isDirectory(source)
        if (path.length > 0) edits.push({ path, directory: item.attributes })
      } else if (item.kind === 'file') {
        try {
          const file = openLocal(item.at)
          const { fd, sizeBytes } = file
          const storing: Storing = { ...item, changed: false }
          yield {
            item: storing,
            input: { fd, sizeBytes },
            close: () => (storing.changed = file.close()),
          }
        } catch (error) {
          if (item.path.length === 0) throw error
          await refuse(item.at, error)
        }
      } else if (item.kind === 'symlink') {
        const content = await linkTarget(item.at)
        edits.push({ path, entry: { ...entryAt(path, item), kind: 'symlink', content } })
      } else await refuse(item.at, 'it is neither a file, a directory nor a link')
    }
  }
  const task = context.progress.start(nodePath.basename(source), undefined)
  try {
    for await (const stored of writer.putMany(inputs())) {
      const { item, kind, content, sizeBytes } = stored
      const path = [...target, ...item.path]
      const meta = item.changed ? { fuzzy: true as const } : {}
      if (item.changed)
        await output.warning(`${formatPath([item.at])}: it changed while it was read`)
      edits.push({ path, entry: { ...entryAt(path, item), meta, kind, content } as DirectoryEntry })
      count.files++
      count.bytes += sizeBytes
      task.advance(count.bytes, `${count.files} files`)
    }
  } finally {
    task.end()
  }
  return edits
}

/** Standard input, as a file of this moment. */
async function copyStdin(
  { world, signal }: Context,
  writer: ContentWriter,
  path: Path,
  count: CopyCount,
): Promise<Edit> {
  const stream = untilAborted(world.stdin, signal)
  const { kind, content, sizeBytes } = await writer.putContent({ stream })
  count.files++
  count.bytes += sizeBytes
  const attributes = { ...newDirectory(world.clock), mode: 0o644 }
  const entry = { name: path[path.length - 1], ...attributes, kind, content } as DirectoryEntry
  return { path, entry }
}

function entryAt(path: Path, { attributes }: LocalItem) {
  return { name: path[path.length - 1], ...attributes }
}

function isDirectory(source: string): GridError {
  return new GridError('E_FILE', `${source} is a directory`, { hint: 'give -r to copy all of it' })
}
