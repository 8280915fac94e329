/** Trees in memory, told as text: `a/b` ↦ content. */
import { utf8 } from '../../src/base/bytes.ts'
import { changeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryEntry } from '../../src/tree/entry.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { NodeBundler } from '../../src/tree/node-sink.ts'
import { type Edit, editTree } from '../../src/files/edit-tree.ts'
import { formatPath, parsePath } from '../../src/files/path.ts'
import type { Attributes } from '../../src/tree/same-entry.ts'
import type { ContentWriter, TreeStorage } from '../../src/files/tree-storage.ts'
import { TreeView } from '../../src/files/tree-view.ts'
import { keys } from '../tree/entries.ts'
import { MemoryObjects } from '../tree/memory-objects.ts'

export const attributes: Attributes = {
  mode: 0o755,
  mtime: { seconds: 1, nanoseconds: 0 },
  meta: {},
}

/** A small file that holds `text`. */
export function fileOf(text: string, name = 'x'): DirectoryEntry {
  const mtime = { seconds: 1000, nanoseconds: 0 }
  return { name: utf8(name), kind: 'lit', mode: 0o644, mtime, meta: {}, content: utf8(text) }
}

/** `text` undefined: it is removed; `/`: a directory. */
export function editOf(path: string, text: string | undefined): Edit {
  const at = parsePath(path)
  if (text === undefined) return { path: at, remove: true }
  if (text === '/') return { path: at, directory: attributes }
  return { path: at, entry: fileOf(text) }
}

export class MemoryTrees implements TreeStorage {
  readonly objects: MemoryObjects = new MemoryObjects()

  readSlice: TreeStorage['readSlice'] = (...args) => this.objects.readSlice(...args)

  readContent(): never {
    throw new Error('all contents are in their directories')
  }

  async write<T>(work: (writer: ContentWriter) => Promise<T>): Promise<T> {
    const sink = new NodeBundler(this.objects.store)
    const none = (): never => {
      throw new Error('all contents are in their directories')
    }
    const writer = { keys, reader: this, sink, putContent: none, putMany: none }
    const result = await work(writer)
    await sink.finish()
    return result
  }

  /** A stored tree: `base` after edits. */
  async edited(base: NodeName | undefined, edits: Iterable<Edit>): Promise<NodeName> {
    return this.write((writer) => editTree(writer, base, edits, attributes))
  }

  tree(entries: Readonly<Record<string, string>>): Promise<NodeName> {
    return this.edited(
      undefined,
      Object.entries(entries).map(([path, text]) => editOf(path, text)),
    )
  }

  /** A directory of `count` small files. */
  large(entries: Iterable<DirectoryEntry>): Promise<NodeName> {
    const changes = [...entries].map((entry) => ({ name: entry.name, entry }))
    return this.write((writer) => changeDirectory(writer, undefined, changes))
  }
}

/** Everything in a tree, by path; directories as `/`. */
export async function contentsOf(
  reader: TreeView['reader'],
  root: NodeName | undefined,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const view = new TreeView(reader, root)
  for await (const { path, entry } of view.walk(root)) {
    const { kind, content } = entry
    const text = kind === 'lit' || kind === 'symlink' ? new TextDecoder().decode(content) : kind
    found.set(formatPath(path), kind === 'directory' ? '/' : text)
  }
  return found
}
