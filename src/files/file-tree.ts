/**
 * A file system over a log: its newest snapshot is the current tree, each change adds one, and
 * every older one stays (docs/specs/versions.md). Two writers at once never lose an update: both
 * entries stand, and whoever reads next sees them merged.
 */
import { equalBytes, toHex, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { sha256 } from '../base/hash.ts'
import { convergenceKeys } from '../caps/keys.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { Conclusion } from '../log/conclusion.ts'
import type { ReadHeader } from '../log/entry.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { LogView } from '../log/log-view.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import { capOfDirectory } from '../tree/directory-cap.ts'
import { diffDirectories } from '../tree/directory-diff.ts'
import { timestampOf, type DirectoryEntry, type DirectoryRef } from '../tree/entry.ts'
import { treeOfVersion, treeOfVersions } from './current-tree.ts'
import { type Edit, editTree } from './edit-tree.ts'
import { materialise } from './materialise.ts'
import type { Path } from './path.ts'
import { type Attributes, sameEntry } from '../tree/same-entry.ts'
import { Scratch } from './scratch.ts'
import type { ContentWriter, TreeStorage } from './tree-storage.ts'
import { TreeView } from './tree-view.ts'
import { type Version, VersionGraph } from './version-graph.ts'
import type { VersionLog } from './version-log.ts'

export interface FileTreeParts {
  trees: TreeStorage
  log: VersionLog
  clock: Clock
  /** Convergence secret of the log, 32 bytes; the account's if absent. */
  secret?: Uint8Array
  /** Name of this machine, as versions tell it. */
  host: string
  /** Program and version. */
  tool: string
}

interface Options {
  signal?: AbortSignal
}

/** The tree at one moment, and what its log's servers let one conclude. */
export interface CurrentTree {
  view: TreeView
  /** More than one: versions that nobody has recorded a merge of. */
  heads: readonly Version[]
  conclusion: Conclusion
}

/** What a change came to. */
export interface Commit {
  /** Id of the new version. */
  id: Uint8Array
  root: DirectoryRef
  /** Of how many it is a merge, beside the change: 1 as a rule, 0 for the first. */
  parents: number
}

/** A version in which a path is not as in those before. */
export interface PathVersion {
  version: Version
  snapshot: Snapshot
  /** Undefined where it was removed. */
  entry: DirectoryEntry | undefined
}

export interface ChangeOptions extends Options {
  /** What the new version is called. */
  label?: string
}

/** What to do, given the tree as it is now; files that it names are stored with the writer. */
export type ChangeWork = (view: TreeView, writer: ContentWriter) => Promise<Iterable<Edit>>

const nothing: ChangeWork = async () => []
const maxParents = 8
/** Directories worked out for reading alone are sealed under a key that protects nothing. */
const readingKeys = convergenceKeys(sha256(utf8('grid/v1/scratch')))
/** A file system's writers do not count what is in a tree. */
const notCounted = { bytes: 0, files: 0, directories: 0, objects: 0 }

export class FileTree {
  readonly #parts: FileTreeParts
  /** Snapshots opened so far, by the id of their entries. */
  readonly #opened = new Map<string, Snapshot | undefined>()

  constructor(parts: FileTreeParts) {
    this.#parts = parts
  }

  /** The tree as it is now. Throws E_UNREACHABLE if no server that answers has the log. */
  async read(options: Options = {}): Promise<CurrentTree> {
    const { graph, log } = await this.#graph(options)
    const heads = await graph.heads()
    const scratch = new Scratch(this.#parts.trees, readingKeys)
    const root = await treeOfVersions(graph, scratch, heads)
    return { view: new TreeView(scratch, root), heads, conclusion: log.conclusion }
  }

  /** All versions, newest first. */
  async versions(options: Options = {}): Promise<Version[]> {
    const { graph } = await this.#graph(options)
    return graph.all.reverse()
  }

  /** The tree as it was in a version. */
  async readVersion(version: Version, options: Options = {}): Promise<TreeView> {
    const { graph } = await this.#graph(options)
    return new TreeView(this.#parts.trees, await treeOfVersion(graph, version))
  }

  /**
   * Adds a version in which the edits are made that `work` gives; undefined if they change nothing
   * and there was nothing to merge. If it throws nothing has changed, but for E_NOT_DURABLE: then
   * the entry is written on fewer servers than a quorum, and offered again by the next change.
   *
   * @throws E_CAP_WEAK, E_NOT_ENOUGH_SERVERS, E_FORKED, E_REVOKED, E_RATE, and what `work` throws
   */
  async change(work: ChangeWork, options: ChangeOptions = {}): Promise<Commit | undefined> {
    for (;;) {
      const { isDone, commit } = await this.#parts.log.writing(async (view, append) => {
        const graph = this.#graphOf(view, options)
        const heads = await graph.heads()
        const isDone = heads.length <= maxParents
        const [first, task] = isDone ? [heads, work] : [heads.slice(0, maxParents), nothing]
        return { isDone, commit: await this.#append(graph, first, task, append, options) }
      }, options)
      if (isDone) return commit
    }
  }

  /** Versions in which `path` is not as in any of those before, newest first; all, of the root. */
  async *history(path: Path, options: Options = {}): AsyncGenerator<PathVersion> {
    const { graph } = await this.#graph(options)
    const entries = new Map<Version, Promise<DirectoryEntry | undefined>>()
    const entryIn = (version: Version): Promise<DirectoryEntry | undefined> => {
      const known = entries.get(version) ?? this.#entryIn(graph, version, path)
      entries.set(version, known)
      return known
    }
    for (const version of graph.all.reverse()) {
      options.signal?.throwIfAborted()
      const snapshot = await snapshotIfKept(graph, version)
      if (snapshot === undefined) continue
      if (path.length === 0) {
        yield { version, snapshot, entry: undefined }
        continue
      }
      const entry = await entryIn(version)
      const parents = await Promise.all((await graph.parentsOf(version)).map(entryIn))
      entries.delete(version)
      const isChange =
        parents.length === 0
          ? entry !== undefined
          : parents.every((parent) => !sameEntry(parent, entry))
      if (isChange) yield { version, snapshot, entry }
    }
  }

  /** Adds a version in which `path` is as it was in `version`, or not there if it was not. The root is everything. */
  async restore(
    path: Path,
    version: Version,
    options: ChangeOptions = {},
  ): Promise<Commit | undefined> {
    const old = await this.readVersion(version, options)
    if (path.length === 0) return this.change((view) => rootEdits(view, old), options)
    const entry = (await old.find(path))?.entry
    return this.change(async (view) => {
      if (entry !== undefined) return [{ path, entry }]
      return (await view.find(path)) === undefined ? [] : [{ path, remove: true }]
    }, options)
  }

  async #graph({ signal }: Options): Promise<{ graph: VersionGraph; log: LogView }> {
    const { log } = this.#parts
    const view = await log.read({ signal })
    return { graph: this.#graphOf(view, { signal }), log: view }
  }

  #graphOf(view: LogView, { signal }: Options): VersionGraph {
    const open = (entry: ReadHeader): Promise<Snapshot> => this.#parts.log.open(entry, { signal })
    return new VersionGraph(view, open, this.#opened)
  }

  async #append(
    graph: VersionGraph,
    heads: readonly Version[],
    work: ChangeWork,
    append: (snapshot: Snapshot) => Promise<AppendReport>,
    { signal, label = '' }: ChangeOptions,
  ): Promise<Commit | undefined> {
    const { trees, host, tool, secret } = this.#parts
    const write = (writer: ContentWriter) => this.#write(graph, heads, work, writer)
    const root = await trees.write(write, { signal, ...(secret && { secret }) })
    if (root === undefined) return undefined
    const cap = capOfDirectory(root)
    const parents = heads.map(({ entry }) => entry.id)
    const facts = { host, label, paths: [], tool, totals: notCounted, partial: false }
    const { id } = await append({ cap, parents, ...facts })
    return { id, root, parents: heads.length }
  }

  /** The new tree, stored; undefined if it is the only head's. */
  async #write(
    graph: VersionGraph,
    heads: readonly Version[],
    work: ChangeWork,
    writer: ContentWriter,
  ): Promise<DirectoryRef | undefined> {
    const scratch = new Scratch(writer.reader, writer.keys)
    const before = await treeOfVersions(graph, scratch, heads)
    const edits = await work(new TreeView(scratch, before), writer)
    const made = this.#attributes()
    if (heads.length > 1) {
      // What is merged in memory is stored together with the change.
      const after = await editTree(scratch, before, edits, made)
      return materialise(writer, scratch, await treeOfVersion(graph, heads[0]), after)
    }
    const after = await editTree(writer, before, edits, made)
    const unchanged = before ?? (await scratch.empty())
    return equalBytes(unchanged.readKey, after.readKey) ? undefined : after
  }

  /** Of directories that are made on the way. */
  #attributes(): Attributes {
    const nanoseconds = BigInt(Math.floor(this.#parts.clock.nowMs())) * 1_000_000n
    return { mode: 0o755, mtime: timestampOf(nanoseconds), meta: {} }
  }

  async #entryIn(
    graph: VersionGraph,
    version: Version,
    path: Path,
  ): Promise<DirectoryEntry | undefined> {
    if ((await snapshotIfKept(graph, version)) === undefined) return undefined
    const root = await treeOfVersion(graph, version)
    return (await new TreeView(this.#parts.trees, root).find(path))?.entry
  }
}

/** What a version says; undefined for one that was pruned. */
async function snapshotIfKept(
  graph: VersionGraph,
  version: Version,
): Promise<Snapshot | undefined> {
  try {
    return await graph.snapshotOf(version)
  } catch (error) {
    if (isGridError(error, 'E_ABSENT')) return undefined
    throw error
  }
}

/** What makes everything as it was. */
async function rootEdits({ reader, root }: TreeView, old: TreeView): Promise<Edit[]> {
  const edits: Edit[] = []
  for await (const { name, after } of diffDirectories(reader, root, old.root))
    edits.push(
      after === undefined ? { path: [name], remove: true } : { path: [name], entry: after },
    )
  return edits
}

/** How people name a version: the first 64 bits of its id. */
export function formatVersion(id: Uint8Array): string {
  return toHex(id.subarray(0, 8))
}

/** The version that `text` begins the id of. Throws E_USAGE if there is none, or more than one. */
export function findVersion(versions: readonly Version[], text: string): Version {
  const found = /^[0-9a-f]{4,64}$/i.test(text)
    ? versions.filter(({ key }) => key.startsWith(text.toLowerCase()))
    : []
  if (found.length === 1) return found[0]
  const why = found.length === 0 ? 'there is no such version' : 'more than one version begins so'
  throw new GridError('E_USAGE', why, { hint: 'see the versions: grid history ALIAS:PATH' })
}
