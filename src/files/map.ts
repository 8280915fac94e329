/**
 * A map from keys to values for programs, over the same trees and logs as files: every version
 * stays readable, and two writers at once lose nothing (docs/specs/versions.md, "Maps").
 */
import { compareBytes, concat } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { findEntry, listDirectory } from '../tree/directory-reader.ts'
import { type DirectoryEntry, maxLitBytes, timestampOf } from '../tree/entry.ts'
import type { FileContent } from '../node/content/file-content.ts'
import type { Edit } from './edit-tree.ts'
import type { FileTree } from './file-tree.ts'
import { bytesOfKey, keyOfName, type MapKey, nameOfKey } from './map-key.ts'
import { isFile } from '../tree/same-entry.ts'
import type { ContentWriter, TreeStorage } from './tree-storage.ts'
import type { TreeView } from './tree-view.ts'

interface Options {
  signal?: AbortSignal
}

export interface RangeOptions extends Options {
  /** The first key wanted, whether it is there or not; the very first if absent. */
  from?: MapKey
  /** The first key not wanted; none if absent. */
  to?: MapKey
}

export interface MapItem {
  key: Uint8Array
  value: Uint8Array
}

/** What a key was at one time. */
export interface MapVersion {
  /** Id of the version, 32 bytes. */
  version: Uint8Array
  device: string
  /** By the clock of the device. */
  clientMs: number
  /** Undefined where it was deleted. */
  value: Uint8Array | undefined
}

/** A change of one key: `value` undefined deletes it. */
export interface MapChange {
  key: MapKey
  value: Uint8Array | undefined
}

export class GridMap {
  readonly #files: FileTree
  readonly #trees: TreeStorage
  readonly #clock: Clock

  /** @param trees - where the values of `files` are */
  constructor(files: FileTree, trees: TreeStorage, clock: Clock) {
    this.#files = files
    this.#trees = trees
    this.#clock = clock
  }

  /** The value of a key, or undefined. */
  async get(key: MapKey, options: Options = {}): Promise<Uint8Array | undefined> {
    const name = nameOfKey(bytesOfKey(key))
    const { view } = await this.#files.read(options)
    const entry = view.root && (await findEntry(view.reader, view.root, name))
    return entry && this.#valueOf(entry, options)
  }

  /** Other values that were set at the same time as the one that `get` gives; the next `set` ends them. */
  async conflicts(key: MapKey, options: Options = {}): Promise<Uint8Array[]> {
    const { view } = await this.#files.read(options)
    const values: Uint8Array[] = []
    for (const entry of await conflictsOf(view, bytesOfKey(key))) {
      const value = await this.#valueOf(entry, options)
      if (value !== undefined) values.push(value)
    }
    return values
  }

  /** Gives a key a value, in a new version. Throws as `FileTree.change` does. */
  async set(key: MapKey, value: Uint8Array, options: Options = {}): Promise<void> {
    await this.batch([{ key, value }], options)
  }

  /** Deletes a key, in a new version if it is there. */
  async delete(key: MapKey, options: Options = {}): Promise<void> {
    await this.batch([{ key, value: undefined }], options)
  }

  /** Makes many changes in one version: all of them or none. Of two of one key the later counts. */
  async batch(changes: Iterable<MapChange>, options: Options = {}): Promise<void> {
    const list = [...changes].map(({ key, value }) => ({ key: bytesOfKey(key), value }))
    await this.#files.change(async (view, writer) => {
      const edits: Edit[] = []
      for (const { key, value } of list) {
        for (const { name } of await conflictsOf(view, key))
          edits.push({ path: [name], remove: true })
        edits.push(await this.#editOf(view, writer, key, value))
      }
      return edits
    }, options)
  }

  /** Keys and values, ascending by key: `from` ≤ key < `to`. As the map is when it begins. */
  async *range({ from, to, ...options }: RangeOptions = {}): AsyncGenerator<MapItem> {
    const { view } = await this.#files.read(options)
    if (view.root === undefined) return
    const first = bytesOfKey(from ?? '')
    const end = to === undefined ? undefined : bytesOfKey(to)
    const after = nameOfKey(first, true)
    for await (const entry of listDirectory(view.reader, view.root, { after })) {
      const found = keyOfName(entry.name)
      if (found === undefined || found.isConflict) continue
      if (end !== undefined && compareBytes(found.key, end) >= 0) return
      const value = await this.#valueOf(entry, options)
      if (value !== undefined) yield { key: found.key, value }
    }
  }

  /** What a key was, newest first. */
  async *history(key: MapKey, options: Options = {}): AsyncGenerator<MapVersion> {
    const path = [nameOfKey(bytesOfKey(key))]
    for await (const { version, entry } of this.#files.history(path, options)) {
      const { device, clientMs } = version
      const value = entry && (await this.#valueOf(entry, options))
      yield { version: version.entry.id, device, clientMs, value }
    }
  }

  async #editOf(
    view: TreeView,
    writer: ContentWriter,
    key: Uint8Array,
    value: Uint8Array | undefined,
  ): Promise<Edit> {
    const name = nameOfKey(key)
    const path = [name]
    if (value === undefined) return { path, remove: true }
    const old = view.root && (await findEntry(view.reader, view.root, name))
    const content = await contentOf(writer, value)
    const mtime = timestampOf(BigInt(Math.floor(this.#clock.nowMs())) * 1_000_000n)
    const entry = { name, mode: 0o600, mtime, meta: {}, ...content } as DirectoryEntry
    // Setting what is there already is no change.
    const isSame = old !== undefined && isFile(old) && (await this.#isSame(old, value))
    return { path, entry: isSame ? old : entry }
  }

  async #isSame(entry: DirectoryEntry, value: Uint8Array): Promise<boolean> {
    if (entry.kind !== 'lit') return false
    return compareBytes(entry.content, value) === 0
  }

  async #valueOf(entry: DirectoryEntry, options: Options): Promise<Uint8Array | undefined> {
    if (entry.kind === 'lit') return entry.content.slice()
    if (entry.kind !== 'file' && entry.kind !== 'tree') return undefined
    const pieces: Uint8Array[] = []
    for await (const piece of this.#trees.readContent(entry, options)) pieces.push(piece)
    return concat(...pieces)
  }
}

const space = 0x20

async function contentOf(writer: ContentWriter, value: Uint8Array): Promise<FileContent> {
  if (value.length <= maxLitBytes) return { kind: 'lit', content: value.slice() }
  const input = { stream: [value.slice()], sizeBytes: value.length }
  const { kind, content } = await writer.putContent(input)
  return { kind, content } as FileContent
}

/** Entries of the key's other values. */
async function conflictsOf(view: TreeView, key: Uint8Array): Promise<DirectoryEntry[]> {
  const found: DirectoryEntry[] = []
  if (view.root === undefined) return found
  // A conflict's name goes on with a space, which is above all that longer keys go on with.
  const after = concat(nameOfKey(key), Uint8Array.of(space - 1))
  for await (const entry of listDirectory(view.reader, view.root, { after })) {
    const other = keyOfName(entry.name)
    if (other?.isConflict !== true || compareBytes(other.key, key) !== 0) break
    found.push(entry)
  }
  return found
}
