/** Reads snapshots back, each to the last byte, as somebody does who has nothing but the read cap. */
import type { CapOf } from '../../../src/caps/cap.ts'
import { concat, toHex } from '../../../src/base/bytes.ts'
import type { FileContent } from '../../../src/node/content/file-content.ts'
import type { TreeStore } from '../../../src/node/content/tree-store.ts'
import { directoryOfCap } from '../../../src/tree/directory-cap.ts'
import { listDirectory } from '../../../src/tree/directory-reader.ts'
import type { DirectoryEntry } from '../../../src/tree/entry.ts'
import type { NodeName } from '../../../src/tree/node-ref.ts'

export interface ReadEntry {
  entry: DirectoryEntry
  /** Of a file. */
  content: Uint8Array | undefined
}

export class SnapshotReader {
  readonly #trees: TreeStore
  /** What was read before, by where it is: snapshots have most of it in common. */
  readonly #directories = new Map<string, DirectoryEntry[]>()
  readonly #contents = new Map<string, Uint8Array>()

  constructor(trees: TreeStore) {
    this.#trees = trees
  }

  /** All entries by their path. Throws what reading throws. */
  async read(cap: CapOf<'DIR-CHK'>): Promise<Map<string, ReadEntry>> {
    const found = new Map<string, ReadEntry>()
    await this.#list(directoryOfCap(cap), '', found)
    return found
  }

  async #list(directory: NodeName, above: string, found: Map<string, ReadEntry>): Promise<void> {
    for (const entry of await this.#entries(directory)) {
      const path = `${above}${Buffer.from(entry.name).toString('latin1')}`
      const isFile = entry.kind === 'lit' || entry.kind === 'file' || entry.kind === 'tree'
      const content = isFile ? await this.#content(entry) : undefined
      found.set(path, { entry, content })
      if (entry.kind === 'directory') await this.#list(entry.content, `${path}/`, found)
    }
  }

  async #entries(directory: NodeName): Promise<DirectoryEntry[]> {
    const place = placeOf(directory)
    const known = this.#directories.get(place)
    if (known !== undefined) return known
    const entries: DirectoryEntry[] = []
    for await (const entry of listDirectory(this.#trees, directory)) entries.push(entry)
    this.#directories.set(place, entries)
    return entries
  }

  async #content(file: FileContent): Promise<Uint8Array> {
    if (file.kind === 'lit') return file.content
    const place = placeOf(file.content)
    const known = this.#contents.get(place)
    if (known !== undefined) return known
    const pieces: Uint8Array[] = []
    for await (const piece of this.#trees.readContent(file)) pieces.push(piece)
    const content = concat(...pieces)
    this.#contents.set(place, content)
    return content
  }
}

function placeOf({ object, offset, readKey }: Omit<NodeName, 'sliceBytes'>): string {
  return `${toHex(object.root)} ${offset} ${toHex(readKey)}`
}
