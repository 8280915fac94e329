/** Stores files of this machine and gives the edits that put them into a tree. */
import nodePath from 'node:path'
import type { Edit } from '../files/edit-tree.ts'
import { formatPath, type Path } from '../files/path.ts'
import type { ContentWriter } from '../files/tree-storage.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import { utf8 } from '../base/bytes.ts'
import { untilAborted } from '../base/deadline.ts'
import { GridError } from '../base/errors.ts'
import { newDirectory } from './tree-edits.ts'
import type { Context } from './command.ts'
import { itemsAt, type LocalItem } from './local-source.ts'
import { Refusals } from './refusal.ts'

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
  const refusals = new Refusals()
  const top = utf8(source)
  type Storing = LocalItem & { changed: boolean }
  async function* inputs() {
    for (const item of itemsAt(source, refusals.report)) {
      signal.throwIfAborted()
      await refusals.warn(output, count, [top])
      const path = [...target, ...item.path]
      if (item.kind === 'directory') {
        if (!recursive) throw isDirectory(source)
        if (path.length > 0) edits.push({ path, directory: item.attributes })
      } else if (item.kind === 'symlink') {
        const entry = { ...entryAt(path, item), kind: item.kind, content: item.target }
        edits.push({ path, entry })
      } else {
        const file = item.open()
        if (file === undefined) continue
        const storing: Storing = { ...item, changed: false }
        const close = (): void => {
          storing.changed = file.changed()
          file.close()
        }
        yield { item: storing, input: { fd: file.fd, sizeBytes: file.sizeBytes }, close }
      }
    }
    await refusals.warn(output, count, [top])
  }
  const task = context.progress.start(nodePath.basename(source), undefined)
  try {
    for await (const stored of writer.putMany(inputs())) {
      const { item, kind, content, sizeBytes } = stored
      const path = [...target, ...item.path]
      const meta = item.changed ? { fuzzy: true as const } : {}
      if (item.changed)
        await output.warning(`${formatPath([top, ...item.path])}: it changed while it was read`)
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
