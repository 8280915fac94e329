/**
 * What a machine's disk holds of runs, as the simulation knows it: the keys that were made, those
 * that must be gone, and what a journal was told of that must not be read again.
 */
import { toHex } from '../../../src/base/bytes.ts'
import type { RunMemory } from '../../../src/backup/memory/run-memory.ts'
import { formatFingerprint } from '../../../src/local/fingerprint.ts'
import type { LocalEntry } from '../../../src/local/local-entry.ts'
import type { ObjectRef } from '../../../src/tree/refs.ts'
import type { StoredFile } from '../../../src/node/content/stored-file.ts'
import { altered } from '../altered.ts'
import { type DirectoryNode, type FileNode, newFile, replaceBytes } from '../disk-image.ts'
import type { SimDisk } from '../sim-disk.ts'
import { cacheDirectory } from './machine-folder.ts'

/** What is asked when somebody is told that objects are stored. */
export interface StoredCheck {
  stored(objects: readonly ObjectRef[]): void
  left(what: string): void
}

export interface WitnessedJournal {
  /** After how many files and extents it is written out; never by their number if 0. */
  flushEvery: number
  /** Whether it finds files by their paths. */
  keepsPaths: boolean
  /** Whether what the process does has an effect. */
  lives: () => boolean
}

export class CacheMemory {
  readonly #disk: SimDisk
  /** Of each opening of a memory: the key of its cache, and that of its journal. */
  #keys: Uint8Array[] = []
  /** Keys that must open nothing any more. */
  #dead: Uint8Array[] = []
  /** Files that the process gave up by name, which a medium may still hold. */
  readonly #removed = new Set<FileNode>()
  /** Paths, with the fingerprints under which they are in the journal. */
  readonly #told = new Map<string, string>()
  #mustRemember = false
  #isFailing = false
  #isAppended = false

  constructor(disk: SimDisk) {
    this.#disk = disk
    disk.image.onGone = (node) => this.#removed.add(node)
  }

  /** Whether a run ended well, and nothing since took its cache away. */
  get mustRemember(): boolean {
    return this.#mustRemember
  }

  /** Keys that may not be found anywhere, and yet are. */
  get undead(): number {
    const pieces = this.#pieces()
    return this.#dead.filter((key) => pieces.some((piece) => piece.includes(Buffer.from(key))))
      .length
  }

  noteKey(key: Uint8Array): Uint8Array {
    this.#keys.push(key.slice())
    return key
  }

  /** The snapshot of the walk under way is durable in the log. */
  committed(): void {
    this.#isAppended = true
  }

  /** A run has ended well: of the keys before only that of its own cache may be left. */
  remembered(): void {
    this.#mustRemember = !this.#isFailing
    const last = this.#keys.length - 2
    this.#dead = this.#keys.filter((_, index) => index !== last)
    if (this.#isFailing) this.#dead = []
  }

  /** The process gave up what it remembers, since servers do not hold what that stands on. */
  gaveUp(): void {
    this.#told.clear()
  }

  /** The process has died. */
  died(power: boolean): void {
    if (power) this.#told.clear()
  }

  /** Its disk fails: what could not be written need not be there. */
  failed(): void {
    this.#isFailing = true
    this.#mustRemember = false
    this.#told.clear()
  }

  /** Whether the journal was told of the file as it is. */
  isTold(path: string, { stats }: LocalEntry): boolean {
    return !this.#isFailing && this.#told.get(path) === toHex(formatFingerprint(stats))
  }

  /** Somebody empties the folder. */
  lose(): void {
    this.#forget()
    this.#replace(new Map())
  }

  /** A copy of the folder, as the process that uses it would find it. */
  copy(): ReadonlyMap<string, Uint8Array> {
    const copy = new Map<string, Uint8Array>()
    for (const [name, node] of this.#directory.live) {
      if (node.kind === 'file') copy.set(name, node.live.slice(0, node.size))
    }
    return copy
  }

  putBack(copy: ReadonlyMap<string, Uint8Array>): void {
    this.#forget()
    this.#replace(copy)
  }

  /** The memory of a run under way, which is heard in all that it is told. */
  witness(memory: RunMemory, how: WitnessedJournal, check: StoredCheck): RunMemory {
    const { flushEvery, keepsPaths, lives } = how
    let added = 0
    this.#isAppended = false
    const { unfinished: journal } = memory
    const written = (): boolean => {
      if (flushEvery === 0 || ++added % flushEvery !== 0) return false
      journal.flush()
      return true
    }
    let waiting: [path: string, fingerprint: string][] = []
    const unfinished = altered(journal, {
      addFile: (path: Uint8Array, fingerprint: Uint8Array, file: StoredFile) => {
        check.stored(objectsOf(file))
        journal.addFile(path, fingerprint, file)
        waiting.push([Buffer.from(path).toString('latin1'), toHex(fingerprint)])
        if (!written() || !keepsPaths || !lives()) return
        for (const [at, as] of waiting) this.#told.set(at, as)
        waiting = []
      },
      addExtent: (path, fingerprint, index, extent) => {
        check.stored([extent.object])
        journal.addExtent(path, fingerprint, index, extent)
        written()
      },
    })
    return altered(memory, {
      unfinished,
      commit: async (snapshotId?: Uint8Array) => {
        if (!this.#isAppended)
          check.left('B2: a cache takes the place of one before its snapshot is in the log')
        await memory.commit(snapshotId)
        this.#told.clear()
      },
    })
  }

  get #directory(): DirectoryNode {
    const node = this.#disk.image.find(cacheDirectory)
    if (node?.kind !== 'directory') throw new RangeError('no folder for a cache')
    return node
  }

  #forget(): void {
    this.#mustRemember = false
    this.#dead = []
    this.#told.clear()
  }

  #replace(files: ReadonlyMap<string, Uint8Array>): void {
    const { image } = this.#disk
    const directory = this.#directory
    const onGone = image.onGone
    image.onGone = undefined
    for (const name of [...directory.live.keys()]) image.setEntry(directory, name, undefined)
    for (const [name, bytes] of files) {
      const file = newFile()
      replaceBytes(file, bytes)
      image.setEntry(directory, name, file)
    }
    image.syncDirectory(directory)
    image.onGone = onGone
  }

  /** All that the medium or the memory of the system holds of the folder. */
  #pieces(): Buffer[] {
    const files = new Set(this.#removed)
    for (const entries of [this.#directory.live, this.#directory.durable]) {
      for (const node of entries.values()) if (node.kind === 'file') files.add(node)
    }
    return [...files].flatMap(({ live, size, durable }) =>
      [live.subarray(0, size), durable].map((bytes) => Buffer.from(bytes)),
    )
  }
}

function objectsOf(file: StoredFile): ObjectRef[] {
  const own = file.kind === 'file' ? [file.content.object] : []
  return [...own, ...file.extents.map(({ object }) => object), ...file.nodes]
}
