/**
 * Directories of a snapshot, built from the steps of a walk in their order: what did not change is
 * not written again, and what did is written once all in it is known.
 */
import type { EntryFacts } from '../local/facts.ts'
import type { SnapshotTotals } from '../log/snapshot-body.ts'
import type { StoredFile } from '../node/content/stored-file.ts'
import type { DirectoryEntry, DirectoryRef } from '../tree/entry.ts'
import {
  changeDirectory,
  type DirectoryChange,
  type DirectoryWriteContext,
} from '../tree/directory-writer.ts'
import type { NodeSink } from '../tree/node-sink.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { CachedRow } from './memory/cache-cursor.ts'
import type { RowWriter } from './memory/row-writer.ts'

/** What is put into the directory that is being built, and remembered of it. */
export interface BuiltEntry {
  facts: EntryFacts
  /** Undefined if it is to be looked at again next time. */
  fingerprint: Uint8Array | undefined
  /** Of a file. */
  content: StoredFile | undefined
}

/** A directory of which all has been said. */
export interface BuiltDirectory {
  /** Undefined if nothing of it changed, nor below. */
  facts: EntryFacts | undefined
  name: Uint8Array
  fingerprint: Uint8Array | undefined
  /** As it was in the last run, if it was there and is to be changed. */
  row: CachedRow | undefined
}

interface Frame {
  changes: DirectoryChange[]
  totals: SnapshotTotals
}

export class DirectoryBuilder {
  readonly #context: DirectoryWriteContext
  readonly #rows: RowWriter
  readonly #frames: Frame[] = []
  /** The objects that nodes of the directory went into which is being written. */
  #nodes = new Set<ObjectRef>()
  #root: { ref: DirectoryRef; totals: SnapshotTotals } | undefined
  /** Rows that were not come to and stand below another such. */
  #unseenDepth = 0

  constructor(context: DirectoryWriteContext, rows: RowWriter) {
    this.#context = { ...context, sink: this.#counting(context.sink) }
    this.#rows = rows
  }

  /** The whole tree, after the root was left. */
  get root(): { ref: DirectoryRef; totals: SnapshotTotals } {
    if (this.#root === undefined) throw new RangeError('root: not left yet')
    return this.#root
  }

  enter(name: Uint8Array): void {
    this.#frames.push({ changes: [], totals: { bytes: 0, files: 0, directories: 0, objects: 0 } })
    this.#rows.enter(name)
  }

  /** An entry that is as it was. */
  keep(row: CachedRow, sizeBytes: number | undefined): void {
    this.#count(sizeBytes)
    this.#rows.copy(row)
  }

  /** What a walk that was ended early did not come to, and so stays as it was. */
  keepUnseen(row: CachedRow): void {
    if (row.step === 'leave') this.#unseenDepth--
    if (this.#unseenDepth === 0 && row.step === 'leave') this.#add(row.directory().totals)
    if (this.#unseenDepth === 0 && row.step === 'entry') this.#count(row.content()?.sizeBytes)
    if (row.step === 'enter') this.#unseenDepth++
    this.#rows.copy(row)
  }

  remove(name: Uint8Array): void {
    this.#here.changes.push({ name, entry: undefined })
  }

  put({ facts, fingerprint, content }: BuiltEntry): void {
    const { name, kind, meta } = facts
    this.#count(content?.sizeBytes)
    this.#here.changes.push({ name, entry: entryOf(facts, content) })
    const { hardLink } = meta
    this.#rows.entry({ name, kind, fingerprint, hardLink, content })
  }

  /** Ends the directory that was entered last. Resolves, if it is written, once its nodes are handed over. */
  leave(directory: BuiltDirectory): void | Promise<void> {
    const { name, facts, row } = directory
    const { changes, totals } = this.#frames.pop()!
    if (changes.length === 0 && facts === undefined && row !== undefined) {
      this.#rows.copy(row)
      return this.#left(name, undefined, () => row.directory(), totals)
    }
    return this.#write(directory, changes, totals)
  }

  async #write(
    { name, facts, fingerprint, row }: BuiltDirectory,
    changes: readonly DirectoryChange[],
    totals: SnapshotTotals,
  ): Promise<void> {
    const before = row?.directory()
    this.#nodes = new Set()
    const isSame = before !== undefined && changes.length === 0
    const ref = isSame ? before.ref : await changeDirectory(this.#context, before?.ref, changes)
    const nodes = [...new Set([...(before?.nodes ?? []), ...this.#nodes])]
    const directory = { name, fingerprint, ref, nodes, totals }
    this.#rows.leave(directory)
    this.#left(name, facts, () => directory, totals)
  }

  #left(
    name: Uint8Array,
    facts: EntryFacts | undefined,
    directory: () => { ref: DirectoryRef },
    totals: SnapshotTotals,
  ): void {
    if (this.#frames.length === 0) {
      this.#root = { ref: directory().ref, totals }
      return
    }
    this.#add({ ...totals, directories: totals.directories + 1 })
    if (facts === undefined) return
    const { mode, mtime, meta } = facts
    const entry = { name, kind: 'directory' as const, mode, mtime, meta, content: directory().ref }
    this.#here.changes.push({ name, entry })
  }

  #count(sizeBytes: number | undefined): void {
    if (sizeBytes === undefined) return
    const { totals } = this.#here
    totals.files++
    totals.bytes += sizeBytes
  }

  #add({ bytes, files, directories }: SnapshotTotals): void {
    const { totals } = this.#here
    totals.bytes += bytes
    totals.files += files
    totals.directories += directories
  }

  #counting(sink: NodeSink): NodeSink {
    return {
      put: async (seal) => {
        const ref = await sink.put(seal)
        this.#nodes.add(ref.object)
        return ref
      },
    }
  }

  get #here(): Frame {
    return this.#frames[this.#frames.length - 1]
  }
}

function entryOf(facts: EntryFacts, content: StoredFile | undefined): DirectoryEntry {
  const { name, kind, mode, mtime, meta, target } = facts
  const shared = { name, mode, mtime, meta }
  switch (kind) {
    case 'file':
      if (content === undefined) throw new RangeError('a file without content')
      return { ...shared, kind: content.kind, content: content.content } as DirectoryEntry
    case 'symlink':
      return { ...shared, kind, content: target! }
    case 'directory':
      throw new RangeError('a directory is left, not put')
    default:
      return { ...shared, kind, content: undefined }
  }
}
